import { killed } from '../flows/kill.ts';
import { sourceProgram } from '../support/programs.ts';

killed(sourceProgram);
