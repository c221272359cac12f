/** Repositories, branches and pull requests as GitHub's REST API shows them. */
import { simpleUser } from './account-shapes.ts';
import type { BaseUrls } from './answer.ts';
import type { Commit, FileBlob } from './bare-repository.ts';
import { fullName, permissionOf, rootOf } from './world.ts';
import type { Account, Pull, Repository, World } from './world.ts';

/** Templates of the collections below a repository's URL. */
const below: Readonly<Record<string, string>> = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
};

type Viewer = { readonly viewer: Account | null; readonly base: BaseUrls; readonly world: World };

/** As in lists and inside of other objects. */
export function repositorySummary(repository: Repository, { viewer, base, world }: Viewer): object {
  const { api, web } = base;
  const url = `${api}/repos/${fullName(repository)}`;
  const page = `${web}/${fullName(repository)}`;
  const host = new URL(web).host;
  const permission = permissionOf(repository, viewer);
  const forks = world.repositories.filter((one) => one.parent === repository).length;
  return {
    id: repository.id,
    node_id: Buffer.from(`010:Repository${repository.id}`).toString('base64'),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
    owner: simpleUser(repository.owner, base),
    html_url: page,
    description: repository.description,
    fork: repository.parent !== null,
    url,
    ...Object.fromEntries(Object.entries(below).map(([key, rest]) => [key, `${url}${rest}`])),
    archive_url: `${url}/{archive_format}{/ref}`,
    git_url: `git://${host}/${fullName(repository)}.git`,
    ssh_url: `git@${host}:${fullName(repository)}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    mirror_url: null,
    homepage: null,
    language: null,
    size: 1,
    ...counts(forks),
    ...features(),
    default_branch: repository.defaultBranch,
    visibility: repository.private ? 'private' : 'public',
    permissions: permissionsOf(permission),
    license: null,
    topics: [],
    created_at: repository.createdAt,
    updated_at: repository.createdAt,
    pushed_at: repository.createdAt,
  };
}

/** `GET /repos/O/R/contents/PATH`, of a file. */
export function contentFile(path: string, blob: FileBlob, repository: Repository, { api, web }: BaseUrls): object {
  const url = `${api}/repos/${fullName(repository)}/contents/${path}`;
  const html_url = `${web}/${fullName(repository)}/blob/${repository.defaultBranch}/${path}`;
  const git_url = `${api}/repos/${fullName(repository)}/git/blobs/${blob.sha}`;
  return {
    type: 'file',
    encoding: 'base64',
    size: Buffer.byteLength(blob.text),
    name: path.split('/').at(-1),
    path,
    // In lines, as MIME has them.
    content: Buffer.from(blob.text).toString('base64').replaceAll(/.{60}/g, '$&\n'),
    sha: blob.sha,
    url,
    git_url,
    html_url,
    download_url: null,
    _links: { self: url, git: git_url, html: html_url },
  };
}

/** `GET /repos/O/R`, with its parents. */
export function fullRepository(repository: Repository, viewer: Viewer): object {
  const { parent } = repository;
  return {
    ...repositorySummary(repository, viewer),
    temp_clone_token: null,
    network_count: 0,
    subscribers_count: 0,
    ...(repository.owner.type === 'Organization' ? { organization: simpleUser(repository.owner, viewer.base) } : {}),
    ...(parent === null
      ? {}
      : { parent: repositorySummary(parent, viewer), source: repositorySummary(rootOf(parent), viewer) }),
  };
}

function counts(forks: number): object {
  return {
    forks,
    forks_count: forks,
    open_issues: 0,
    open_issues_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
  };
}

function features(): object {
  return {
    archived: false,
    disabled: false,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    has_issues: true,
    has_projects: true,
    has_wiki: true,
    has_pages: false,
    has_downloads: true,
    has_discussions: false,
  };
}

function permissionsOf(permission: ReturnType<typeof permissionOf>): object {
  const admin = permission === 'admin';
  const push = admin || permission === 'write';
  return { admin, maintain: admin, push, triage: push, pull: permission !== null };
}

export function gitRef(repository: Repository, { ref, sha }: { ref: string; sha: string }, base: BaseUrls): object {
  const url = `${base.api}/repos/${fullName(repository)}/git`;
  return {
    ref,
    node_id: Buffer.from(`03:Ref${ref}`).toString('base64'),
    url: `${url}/${ref}`,
    object: { type: 'commit', sha, url: `${url}/commits/${sha}` },
  };
}

export function branch(
  { name, commit }: { name: string; commit: Commit },
  repository: Repository,
  base: BaseUrls,
): object {
  const url = `${base.api}/repos/${fullName(repository)}`;
  const page = `${base.web}/${fullName(repository)}`;
  const person = { name: commit.author, email: commit.email, date: commit.date };
  return {
    name,
    commit: {
      sha: commit.sha,
      node_id: Buffer.from(`06:Commit${commit.sha}`).toString('base64'),
      url: `${url}/commits/${commit.sha}`,
      html_url: `${page}/commit/${commit.sha}`,
      comments_url: `${url}/commits/${commit.sha}/comments`,
      commit: {
        url: `${url}/git/commits/${commit.sha}`,
        author: person,
        committer: person,
        message: commit.message,
        comment_count: 0,
        tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
        verification: { verified: false, reason: 'unsigned', payload: null, signature: null, verified_at: null },
      },
      author: null,
      committer: null,
      parents: [],
    },
    _links: { self: `${url}/branches/${name}`, html: `${page}/tree/${name}` },
    protected: false,
    protection: { enabled: false },
    protection_url: `${url}/branches/${name}/protection`,
  };
}

export function pullRequest(
  pull: Pull,
  { into, head, baseSha, ...viewer }: Viewer & { into: Repository; head: Commit; baseSha: string },
): object {
  const { base } = viewer;
  const url = `${base.api}/repos/${fullName(into)}`;
  const page = `${base.web}/${fullName(into)}/pull/${pull.number}`;
  const author = pull.head.owner;
  const side = (repository: Repository, ref: string, sha: string): object => ({
    label: `${repository.owner.login}:${ref}`,
    ref,
    sha,
    user: simpleUser(repository.owner, base),
    repo: repositorySummary(repository, viewer),
  });
  const links = {
    self: `${url}/pulls/${pull.number}`,
    html: page,
    issue: `${url}/issues/${pull.number}`,
    comments: `${url}/issues/${pull.number}/comments`,
    review_comments: `${url}/pulls/${pull.number}/comments`,
    review_comment: `${url}/pulls/comments{/number}`,
    commits: `${url}/pulls/${pull.number}/commits`,
    statuses: `${url}/statuses/${head.sha}`,
  };
  return {
    id: into.id * 1000 + pull.number,
    node_id: Buffer.from(`011:PullRequest${pull.number}`).toString('base64'),
    number: pull.number,
    title: pull.title,
    state: 'open',
    locked: false,
    draft: false,
    user: simpleUser(author, base),
    body: null,
    url: links.self,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: links.issue,
    commits_url: links.commits,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    comments_url: links.comments,
    statuses_url: links.statuses,
    head: side(pull.head, pull.branch, head.sha),
    base: side(into, into.defaultBranch, baseSha),
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
    ...unmerged(head.date),
  };
}

function unmerged(at: string): object {
  return {
    created_at: at,
    updated_at: at,
    closed_at: null,
    merged_at: null,
    merge_commit_sha: null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    labels: [],
    milestone: null,
    author_association: 'CONTRIBUTOR',
    auto_merge: null,
    active_lock_reason: null,
    merged: false,
    mergeable: true,
    rebaseable: true,
    mergeable_state: 'clean',
    merged_by: null,
    comments: 0,
    review_comments: 0,
    maintainer_can_modify: true,
    commits: 1,
    additions: 1,
    deletions: 0,
    changed_files: 1,
  };
}
