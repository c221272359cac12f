import { gitAsOwner } from '../flows/git-as-owner.ts';
import { sourceProgram } from '../support/programs.ts';

gitAsOwner(sourceProgram);
