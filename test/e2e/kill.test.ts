import { killed } from '../flows/kill.ts';
import { compiledProgram } from '../support/programs.ts';

killed(compiledProgram);
