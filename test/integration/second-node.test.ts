import { secondNode } from '../flows/second-node.ts';
import { sourceProgram } from '../support/programs.ts';

secondNode(sourceProgram);
