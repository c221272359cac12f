import { fuzzed } from '../flows/fuzz.ts';
import { sourceProgram } from '../support/programs.ts';

fuzzed(sourceProgram);
