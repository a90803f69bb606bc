import type { Program, ProgramTable } from './program.ts'

// `git log --help` starts a viewer that the settings of the repository may name.
const reads: Program = { effect: 'git.read', operands: 'text', flags: { '--help': 'git.runs-config' } }

const diffs: Program = {
  ...reads,
  plain:
    '-pusazbwDRWqrtcm# --patch --no-patch --function-context --raw --patch-with-raw --patch-with-stat --numstat --shortstat --dirstat --cumulative --dirstat-by-file --check --summary --name-only --name-status --stat --stat-width --stat-count --compact-summary --binary --full-index --color --no-color --ws-error-highlight --abbrev --no-abbrev --src-prefix --dst-prefix --no-prefix --default-prefix --line-prefix --inter-hunk-context --break-rewrites --find-renames --irreversible-delete --find-copies --find-copies-harder --no-renames --follow --minimal --ignore-all-space --ignore-space-change --ignore-space-at-eol --ignore-cr-at-eol --ignore-blank-lines --indent-heuristic --no-indent-heuristic --patience --histogram --word-diff --color-words --color-moved --no-color-moved --color-moved-ws --relative --no-relative --text --exit-code --quiet --no-ext-diff --no-textconv --ignore-submodules --submodule --pickaxe-all --pickaxe-regex --cached --staged --merge-base --ita-invisible-in-index --cc --root --no-commit-id --always --unified --no-dual-color',
  takes:
    '-U -l -S -G -I --diff-filter --diff-algorithm --anchored --word-diff-regex --ignore-matching-lines --find-object --rotate-to --skip-to --creation-factor',
  maybe: '-B -M -C -X',
  files: { '--output': 'write', '-O': 'read' },
  flags: { '--ext-diff --textconv --help': 'git.runs-config', '--no-index': 'fs.search-all' },
}

const logs: Program = {
  ...diffs,
  plain: `${diffs.plain} -giEFP --oneline --graph --all --decorate --no-decorate --clear-decorations --abbrev-commit --no-abbrev-commit --merges --no-merges --reverse --first-parent --branches --tags --remotes --reflog --date-order --topo-order --author-date-order --left-right --left-only --right-only --cherry --cherry-pick --cherry-mark --boundary --simplify-by-decoration --simplify-merges --full-history --dense --sparse --ancestry-path --walk-reflogs --parents --children --relative-date --no-walk --do-walk --source --notes --no-notes --regexp-ignore-case --extended-regexp --fixed-strings --perl-regexp --basic-regexp --invert-grep --all-match --mailmap --no-mailmap --use-mailmap --log-size --count --not --diff-merges --no-diff-merges --show-pulls --pretty --encoding --no-expand-tabs --objects --timestamp --min-parents --max-parents --no-min-parents --no-max-parents`,
  takes: `${diffs.takes} -n -L --max-count --skip --since --after --until --before --author --committer --grep --grep-reflog --format --date --glob --exclude --decorate-refs --decorate-refs-exclude --since-as-filter`,
}

const refs: Program = {
  ...reads,
  plain:
    '-lianrv --list --all --remotes --verbose --no-color --color --column --no-column --ignore-case --no-abbrev --omit-empty',
  takes: '--contains --no-contains --merged --no-merged --sort --format --points-at --exclude --count',
  maybe: '--abbrev',
}

/** What git does that only looks, by subcommand; options from its manual. */
export const gitLook: ProgramTable = {
  status: {
    ...reads,
    plain:
      '-sbvz --short --branch --verbose --show-stash --porcelain --long --ignored --column --no-column --ahead-behind --no-ahead-behind --renames --no-renames --find-renames --untracked-files --ignore-submodules',
    maybe: '-u -M',
    examples: { allow: ['git status', 'git status -sb', 'git status -uno'], ask: ['git status --help'] },
  },
  // `whatchanged` may be an alias by now.
  'log rev-list': {
    ...logs,
    examples: {
      allow: ['git log --oneline -5', 'git log -p -1', 'git log --format=%h', 'git log --graph --all'],
      ask: [
        'git log --ext-diff',
        'git log --show-signature',
        'git log --format=%G?',
        'git log --format=%+GK',
        'git log --pretty=mine',
        'git whatchanged',
        'git log -p -- .env',
        'git log -L1,5:.env',
        'git log --stdin',
      ],
    },
  },
  show: {
    ...logs,
    examples: { allow: ['git show HEAD:a.ts'], ask: ['git show :.env', 'git show HEAD:.env'] },
  },
  'diff diff-tree diff-index diff-files range-diff': {
    ...diffs,
    examples: {
      allow: ['git diff HEAD~1', 'git diff HEAD~1 --stat', 'git diff main...x -- src', 'git diff -U10'],
      ask: [
        'git diff --output=x',
        'git diff --outp x',
        'git diff --no-index /dev/null .env',
        'git diff /dev/null .',
        'git diff -- .env',
        "git diff -- '*.pem'",
      ],
    },
  },
  'blame annotate': {
    ...reads,
    plain:
      '-bltfnsepwck# --root --show-stats --incremental --porcelain --line-porcelain --show-name --show-number --show-email --progress --no-progress --score-debug --color-lines --color-by-age --first-parent --minimal',
    takes: '-L --since --date --ignore-rev --abbrev --reverse',
    maybe: '-M -C',
    files: { '--contents -S --ignore-revs-file': 'read' },
    examples: {
      allow: ['git blame a.ts', 'git blame -L 1,5 a.ts'],
      ask: ['git blame .env', 'git blame -w .env'],
    },
  },
  'rev-parse': {
    ...reads,
    plain:
      '-q --abbrev-ref --short --verify --git-dir --absolute-git-dir --git-common-dir --show-toplevel --show-prefix --show-cdup --is-inside-work-tree --is-inside-git-dir --is-bare-repository --is-shallow-repository --all --branches --tags --remotes --symbolic --symbolic-full-name --sq --quiet --revs-only --no-revs --flags --no-flags --not --show-superproject-working-tree --show-object-format --disambiguate',
    takes: '--default --since --until --path-format --glob --exclude --git-path',
    examples: { allow: ['git rev-parse HEAD', 'git rev-parse --abbrev-ref HEAD'] },
  },
  'ls-files ls-tree': {
    ...reads,
    plain:
      '-ztvfcdoisukmrl --cached --deleted --others --ignored --stage --unmerged --killed --modified --directory --no-empty-directory --eol --full-name --full-tree --recurse-submodules --error-unmatch --exclude-standard --deduplicate --debug --abbrev --sparse --name-only --name-status --object-only --long',
    takes: '-x --exclude --with-tree --format',
    files: { '-X --exclude-from --exclude-per-directory': 'read' },
    examples: { allow: ['git ls-files', 'git ls-files -o --exclude-standard', 'git ls-tree -r HEAD'] },
  },
  'cat-file': {
    ...reads,
    plain: '-ptse',
    flags: { '--textconv --filters --help': 'git.runs-config' },
    examples: { allow: ['git cat-file -p HEAD'], ask: ['git cat-file -p HEAD:.env', 'git cat-file --batch'] },
  },
  grep: {
    ...reads,
    plain:
      '-aiIwvhHEGPFnlLzocqrpW# --cached --untracked --exclude-standard --recurse-submodules --ignore-case --word-regexp --text --no-textconv --recursive --extended-regexp --basic-regexp --perl-regexp --fixed-strings --line-number --column --full-name --files-with-matches --name-only --files-without-match --only-matching --count --color --no-color --break --heading --quiet --and --or --all-match --invert-match --show-function --function-context --index --null',
    takes: '-A -B -C -m --max-depth --context --before-context --after-context --threads --max-count',
    texts: '-e',
    firstUnless: '-e -f',
    files: { '-f': 'read' },
    flags: { '-O --open-files-in-pager --textconv --help': 'git.runs-config', '--no-index': 'fs.search-all' },
    examples: {
      allow: ['git grep foo', 'git grep -n foo -- src', 'git grep -e foo --or -e bar'],
      ask: [
        'git grep -O./x foo',
        "git grep ''",
        'git grep PASSWORD',
        'git grep --no-index foo',
        'git grep foo -- .env',
      ],
    },
  },
  'describe shortlog name-rev show-ref for-each-ref merge-base cherry count-objects var check-ignore check-attr version --version --exec-path --html-path show-branch get-tar-commit-id fsck patch-id stripspace':
    {
      ...refs,
      plain: `${refs.plain} -sneqdHzc --tags --contains --long --always --exact-match --first-parent --summary --numbered --email --committer --name-only --heads --head --branches --verify --hash --dereference --quiet --independent --is-ancestor --octopus --fork-point --build-options --full --no-dangling --strict --no-progress --progress --connectivity-only --stable --no-reflogs`,
      takes: `${refs.takes} --candidates --match --refs --since --until --group`,
      examples: {
        allow: [
          'git describe --tags',
          'git shortlog -sn',
          'git --version',
          'git for-each-ref --sort=-committerdate',
        ],
        ask: [
          'git help log',
          'git --help log',
          "git for-each-ref --format='%(signature)'",
          'git fsck --lost-found',
          'git describe --dirty',
        ],
      },
    },
  '--help': { ...reads, operands: 'run' },
  branch: {
    ...refs,
    effect: 'git.branch-or-tag',
    plain: `${refs.plain} -dDmMcCftq --show-current --delete --move --copy --force --track --no-track --unset-upstream --edit-description --create-reflog --quiet`,
    takes: `${refs.takes} -u --set-upstream-to`,
    examples: {
      allow: [
        'git branch',
        'git branch -a',
        'git branch -vv',
        'git branch --show-current',
        'git branch --contains x',
      ],
      ask: ['git branch new', 'git branch -v new', 'git branch -D old'],
    },
  },
  tag: {
    ...refs,
    effect: 'git.branch-or-tag',
    plain: `${refs.plain} -asdfe --delete --force --annotate --sign --create-reflog`,
    takes: `${refs.takes} -m -F -u --message --file --local-user`,
    maybe: '-n --abbrev',
    flags: { '-v --verify --help': 'git.runs-config' },
    examples: {
      allow: ['git tag', 'git tag -l', "git tag -l 'v1.*'", 'git tag -n3'],
      ask: ['git tag v1', 'git tag -d v1', 'git tag -v v1'],
    },
  },
  remote: {
    plain: '-v --verbose',
    subcommands: {
      '-v --verbose': { effect: 'git.read' },
      'get-url': { effect: 'git.read', plain: '--push --all' },
      show: { effect: 'git.fetch', network: true },
    },
    bare: 'git.read',
    other: 'git.config',
    examples: {
      allow: ['git remote -v', 'git remote', 'git remote get-url origin'],
      ask: ['git remote add x y', 'git remote set-url origin x', 'git remote --help'],
    },
    flags: { '--help': 'git.runs-config' },
  },
  stash: {
    subcommands: { list: logs, show: diffs, 'drop clear': { effect: 'git.discard' } },
    bare: 'git.change',
    other: 'git.change',
    examples: {
      allow: ['git stash list', 'git stash show -p', 'git stash show stash@{0}'],
      ask: ['git stash', 'git stash drop', 'git stash pop', 'git stash list --help'],
    },
  },
  worktree: {
    subcommands: { list: { ...reads, plain: '-vz --porcelain --verbose' } },
    other: 'git.change',
    examples: { allow: ['git worktree list'], ask: ['git worktree add ../x'] },
  },
  reflog: {
    ...logs,
    subcommands: {
      show: logs,
      exists: reads,
      list: reads,
      'expire delete drop write': { effect: 'git.discard' },
    },
    other: 'git.read',
    bare: 'git.read',
    examples: { allow: ['git reflog', 'git reflog -5', 'git reflog main'], ask: ['git reflog expire --all'] },
  },
  notes: { subcommands: { 'list show': reads }, bare: 'git.read', other: 'git.change' },
  submodule: {
    plain: '-q --quiet',
    subcommands: {
      'status summary': { ...reads, plain: '--cached --recursive' },
      foreach: { effect: 'code.inline' },
    },
    bare: 'git.read',
    other: 'git.fetch',
    network: true,
    flags: { '--help': 'git.runs-config' },
    examples: {
      allow: ['git submodule status'],
      ask: ['git submodule update --init', "git submodule foreach 'rm x'"],
    },
  },
  config: {
    effect: 'git.config-read-or-write',
    plain:
      '-lze --list --get --get-all --get-regexp --get-urlmatch --get-color --get-colorbool --global --local --system --worktree --show-origin --show-scope --name-only --null --includes --no-includes --bool --int --path --bool-or-int --expiry-date --add --unset --unset-all --replace-all --rename-section --remove-section --edit --all --regexp',
    takes: '--type --default --value --url --comment',
    files: { '-f --file --blob': 'write' },
    flags: { '--help': 'git.runs-config' },
    examples: {
      allow: ['git config --list --show-origin', 'git config --get user.name', 'git config -l'],
      ask: [
        'git config user.name x',
        'git config core.pager "sh -c id"',
        'git config -e',
        'git config --get-regexp token',
        'git config --get http.extraheader',
        'git config -f .env -l',
      ],
    },
  },
}
