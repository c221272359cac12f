import { signInModes } from '../flows/sign-in-modes.ts';
import { compiledProgram } from '../support/programs.ts';

signInModes(compiledProgram);
