import { fuzzed } from '../flows/fuzz.ts';
import { compiledProgram } from '../support/programs.ts';

fuzzed(compiledProgram);
