import { gitAsOwner } from '../flows/git-as-owner.ts';
import { compiledProgram } from '../support/programs.ts';

gitAsOwner(compiledProgram);
