/**
 * GraphQL, for `gh`: queries are checked against GitHub's published schema and answered with exactly the fields that
 * they ask for.
 */
import { buildSchema, graphql } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { readFileSync } from 'node:fs';
import { publicEmail } from './account-shapes.ts';
import { failure, json } from './answer.ts';
import type { Answer } from './answer.ts';
import { accountOf, fullName, permissionOf, visibleRepository } from './world.ts';
import type { Account, Repository, Token, World } from './world.ts';

export type GraphqlServer = (text: string, around: { world: World; token: Token }) => Promise<Answer>;

/** The schema of 1.2 MB is read with the first query. */
export function createGraphql(): GraphqlServer {
  const built: { schema?: GraphQLSchema } = {};
  return async (text, { world, token }) => {
    const request = JSON.parse(text) as { query?: string; variables?: Record<string, unknown> };
    if (typeof request.query !== 'string')
      return failure(400, 'A query attribute must be specified and must be a string.');
    built.schema ??= buildSchema(publishedSchema(), { assumeValid: true });
    const { data, errors } = await graphql({
      schema: built.schema,
      source: request.query,
      rootValue: resolvers(world, accountOf(world, token.login)),
      variableValues: request.variables ?? {},
    });
    const said = errors?.map(({ message, path, locations, extensions }) => ({
      ...(extensions['type'] === undefined ? {} : { type: extensions['type'] }),
      message,
      ...(path === undefined ? {} : { path }),
      ...(locations === undefined ? {} : { locations }),
    }));
    return json(200, said === undefined ? { data } : { data: data ?? null, errors: said });
  };
}

function publishedSchema(): string {
  return readFileSync(new URL('schema.graphql', import.meta.resolve('@octokit/graphql-schema')), 'utf8');
}

function resolvers(world: World, viewer: Account): object {
  return {
    viewer: accountNode(viewer),
    repository({ owner, name }: { owner: string; name: string }) {
      const found = visibleRepository(world, { owner, name, account: viewer });
      if (found === undefined) throw notResolved('Repository', `name '${owner}/${name}'`);
      return repositoryNode(found, viewer);
    },
    repositoryOwner({ login }: { login: string }) {
      const account = world.accounts.get(login.toLowerCase());
      return account === undefined ? null : accountNode(account);
    },
    user({ login }: { login: string }) {
      const account = world.accounts.get(login.toLowerCase());
      if (account?.type !== 'User') throw notResolved('User', `login of '${login}'`);
      return accountNode(account);
    },
  };
}

function accountNode(account: Account): object {
  return {
    __typename: account.type,
    id: `U_${account.id}`,
    databaseId: account.id,
    login: account.login,
    name: account.name,
    email: publicEmail(account) ?? '',
    url: `https://github.com/${account.login}`,
  };
}

function repositoryNode(repository: Repository, viewer: Account): object {
  const page = `https://github.com/${fullName(repository)}`;
  const { parent } = repository;
  return {
    __typename: 'Repository',
    id: `R_${repository.id}`,
    databaseId: repository.id,
    name: repository.name,
    nameWithOwner: fullName(repository),
    owner: accountNode(repository.owner),
    description: repository.description,
    url: page,
    sshUrl: `git@github.com:${fullName(repository)}.git`,
    isPrivate: repository.private,
    visibility: repository.private ? 'PRIVATE' : 'PUBLIC',
    isFork: parent !== null,
    isArchived: false,
    isEmpty: false,
    hasIssuesEnabled: true,
    hasWikiEnabled: true,
    hasProjectsEnabled: true,
    mergeCommitAllowed: true,
    squashMergeAllowed: true,
    rebaseMergeAllowed: true,
    viewerPermission: (permissionOf(repository, viewer) ?? 'none').toUpperCase(),
    viewerCanAdminister: repository.owner === viewer,
    defaultBranchRef: { __typename: 'Ref', name: repository.defaultBranch },
    createdAt: repository.createdAt,
    pushedAt: repository.createdAt,
    updatedAt: repository.createdAt,
    parent: parent === null ? null : () => repositoryNode(parent, viewer),
  };
}

function notResolved(type: string, what: string): Error {
  const error = new Error(`Could not resolve to a ${type} with the ${what}.`);
  return Object.assign(error, { extensions: { type: 'NOT_FOUND' } });
}
