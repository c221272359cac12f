/**
 * The closed catalogue of errors. Every failure that a person or a program sees is one of these: a code, an
 * HTTP status, and a message and a hint (a next step that works when pasted) built from typed details.
 */
import { accountErrors } from './error-catalogue/account-errors.ts';
import { nodeErrors } from './error-catalogue/node-errors.ts';
import { requestErrors } from './error-catalogue/request-errors.ts';
import { workspaceErrors } from './error-catalogue/workspace-errors.ts';

export const errorCatalogue = { ...requestErrors, ...accountErrors, ...workspaceErrors, ...nodeErrors } as const;
