import { gitLook } from './gitLook.ts'
import type { ProgramTable } from './program.ts'

/** Git by subcommand. Options before it (`-c`, `-C`, `--exec-path`) are in describeGit. */
export const git: ProgramTable = {
  ...gitLook,
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
