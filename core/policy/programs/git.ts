import type { Program, ProgramTable } from './program.ts'

const reads: Program = {
  effect: 'git.read',
  operands: 'text',
  takes:
    '-n -S -G -L --max-count --since --until --author --grep --format --pretty --date -U --unified --diff-filter --abbrev --sort --contains --merged --no-merged --points-at -e -A -B -C',
  files: { '--output -o': 'write', '--contents -f --ignore-revs-file --exclude-from -X': 'read' },
  flags: { '--ext-diff --textconv --filters -O --open-files-in-pager': 'git.runs-config' },
}

/** Git by subcommand. Options before it (`-c`, `-C`, `--exec-path`) are in describeGit. */
export const git: ProgramTable = {
  'status log diff show blame annotate rev-parse rev-list ls-files ls-tree cat-file describe shortlog name-rev show-ref for-each-ref diff-tree diff-index diff-files merge-base whatchanged cherry count-objects var check-ignore check-attr grep help version --version --help --exec-path --html-path range-diff verify-commit verify-tag show-branch get-tar-commit-id fsck patch-id stripspace column':
    {
      ...reads,
      examples: {
        allow: [
          'git status',
          'git log --oneline -5',
          'git diff HEAD~1',
          'git show HEAD:a.ts',
          'git blame a.ts',
          'git rev-parse HEAD',
          'git ls-files',
          'git describe --tags',
          'git grep foo',
          'git --version',
        ],
        ask: ['git diff --output=x', 'git grep -O./x foo', 'git log --ext-diff'],
      },
    },
  'branch tag': {
    ...reads,
    first: 'text',
    effect: 'git.branch-or-tag',
    examples: {
      allow: ['git branch', 'git branch -a', 'git branch -vv', 'git tag -l', 'git branch --show-current'],
      ask: ['git branch new', 'git branch -D old', 'git tag v1', 'git tag -d v1'],
    },
  },
  remote: {
    subcommands: {
      '-v --verbose get-url': { effect: 'git.read' },
      show: { effect: 'git.fetch', network: true },
    },
    bare: 'git.read',
    other: 'git.config',
    examples: {
      allow: ['git remote -v', 'git remote'],
      ask: ['git remote add x y', 'git remote set-url origin x'],
    },
  },
  stash: {
    subcommands: { 'list show': { ...reads }, 'drop clear': { effect: 'git.discard' } },
    bare: 'git.change',
    other: 'git.change',
    examples: { allow: ['git stash list'], ask: ['git stash', 'git stash drop', 'git stash pop'] },
  },
  worktree: {
    subcommands: { list: { effect: 'git.read' } },
    other: 'git.change',
    examples: { allow: ['git worktree list'], ask: ['git worktree add ../x'] },
  },
  reflog: {
    subcommands: { 'expire delete': { effect: 'git.discard' } },
    other: 'git.read',
    bare: 'git.read',
    examples: { allow: ['git reflog'], ask: ['git reflog expire --all'] },
  },
  notes: { subcommands: { 'list show': { effect: 'git.read' } }, bare: 'git.read', other: 'git.change' },
  submodule: {
    subcommands: { 'status summary': { effect: 'git.read' }, foreach: { effect: 'code.inline' } },
    bare: 'git.read',
    other: 'git.fetch',
    network: true,
    examples: {
      allow: ['git submodule status'],
      ask: ['git submodule update --init', "git submodule foreach 'rm x'"],
    },
  },
  config: {
    effect: 'git.config-read-or-write',
    free: false,
    takes: '--type --default',
    files: { '-f --file --blob': 'write' },
    examples: {
      allow: ['git config --list --show-origin', 'git config --get user.name', 'git config -l'],
      ask: ['git config user.name x', 'git config core.pager "sh -c id"', 'git config -e'],
    },
  },
  'add commit checkout switch merge rebase cherry-pick revert mv apply am init sparse-checkout lfs update-index commit-tree write-tree update-ref symbolic-ref read-tree hash-object checkout-index replace maintenance gc repack prune-packed pack-refs rerere bundle archive format-patch fast-export fast-import request-pull':
    {
      effect: 'git.change',
      operands: 'text',
      free: false,
      takes: '-m -F --message --file -b -B -c -C --author --date',
      files: { '-o --output --output-directory': 'write' },
      flags: { '-x --exec': 'code.inline', '--upload-pack --receive-pack': 'git.runs-config' },
      examples: {
        ask: [
          'git add .',
          'git commit -m x',
          'git checkout main',
          'git merge x',
          'git rebase --exec "make" main',
          'git archive -o /tmp/x.tar HEAD',
        ],
      },
    },
  'reset restore': {
    effect: 'git.unstage',
    flags: { '--hard --merge --keep': 'git.discard' },
    examples: { ask: ['git reset HEAD a', 'git reset --hard', 'git restore .'] },
  },
  clean: {
    effect: 'git.discard',
    flags: { '-n --dry-run': 'info' },
    examples: { ask: ['git clean -fdx', 'git clean -n'] },
  },
  rm: { effect: 'git.change', operands: 'text', examples: { ask: ['git rm a'] } },
  'filter-branch filter-repo prune': {
    effect: 'git.discard',
    free: true,
    examples: { ask: ['git filter-branch --all'] },
  },
  'fetch pull clone ls-remote remote-update fetch-pack': {
    effect: 'git.fetch',
    network: true,
    takes: '-b --branch --depth -o --origin -j -c --config',
    flags: { '-u --upload-pack -c --config --template': 'git.runs-config' },
    examples: {
      ask: [
        'git fetch',
        'git pull',
        'git clone https://x/y',
        "git clone --upload-pack='touch x' a b",
        'git ls-remote',
      ],
    },
  },
  push: {
    effect: 'git.push',
    network: true,
    takes: '-o --push-option',
    flags: {
      '-f --force --force-with-lease --mirror -d --delete --prune --force-if-includes': 'git.force-push',
      '--receive-pack --exec': 'git.runs-config',
    },
    examples: {
      ask: [
        'git push',
        'git push origin main',
        'git push --force',
        'git push -f origin main',
        'git push origin +main',
        'git push origin :x',
      ],
    },
  },
  'send-email bisect mergetool difftool gui citool instaweb imap-send svn p4 cvsimport daemon http-push shell upload-pack receive-pack credential credential-store credential-cache':
    { effect: 'git.runs-config', network: true, free: true, examples: { ask: ['git credential fill'] } },
}
