import { signInModes } from '../flows/sign-in-modes.ts';
import { sourceProgram } from '../support/programs.ts';

signInModes(sourceProgram);
