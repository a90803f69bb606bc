import type { ProgramTable } from './program.ts'

/** Programs that list files or say something of them, without showing what is in them. */
export const lookFiles: ProgramTable = {
  mktemp: {
    operands: 'create',
    plain: '-dqut --directory --quiet --dry-run',
    takes: '--suffix',
    files: { '-p --tmpdir': 'create' },
    examples: { allow: ['mktemp', 'mktemp -d'], ask: ['mktemp /opt/x.XXX', 'mktemp -p /opt/x'] },
  },
  'ls gls dir vdir': {
    operands: 'list',
    plain:
      '-aAbBcCdDfFgGhHiklLmnNopqQrRsStuUvxXZ1@eOW%+, --all --almost-all --author --escape --ignore-backups --directory --dired --classify --no-group --human-readable --si --dereference-command-line --inode --kibibytes --dereference --numeric-uid-gid --literal --hide-control-chars --show-control-chars --quote-name --reverse --recursive --size --context --color --hyperlink --group-directories-first --full-time --file-type --zero --dereference-command-line-symlink-to-dir',
    takes:
      '-I -w -T --ignore --hide --width --tabsize --block-size --time --time-style --sort --format --indicator-style --quoting-style',
    examples: {
      allow: ['ls', 'ls -la', 'ls -la src', 'ls /', 'ls *.ts', 'ls --color=auto -lt', 'ls .env'],
      ask: ['ls /etc', 'ls -I /etc', 'ls --nonesuch'],
    },
  },
  'exa eza lsd': {
    operands: 'list',
    plain:
      '-1lGxFRTaAdrDfbBghHimnSuUt --oneline --long --grid --across --classify --recurse --tree --all --reverse --only-dirs --only-files --binary --bytes --group --header --links --inode --icons --git --git-ignore --color --group-directories-first --no-permissions --no-user --no-time',
    takes: '-s -L -I --sort --level --depth --ignore-glob --time --time-style',
    examples: { allow: ['eza -la', 'exa --tree -L 2'], ask: ['lsd --config-file x'] },
  },
  tree: {
    operands: 'list',
    plain:
      '-adflxsphugDFqNQrtcUvnCASiJX --noreport --prune --dirsfirst --filesfirst --du --si --inodes --device --nolinks --gitignore --ignore-case --matchdirs --metafirst --info --hyperlink',
    takes: '-L -P -I -H -T --filelimit --charset --timefmt --sort',
    flags: { '-R': 'fs.write-option' },
    files: { '-o': 'write' },
    examples: {
      allow: ['tree -L 2', 'tree -a src', "tree -I 'node_modules|dist'"],
      ask: ['tree -o out.txt', 'tree --fromfile .env', 'tree --gitfile x'],
    },
  },
  'du gdu': {
    operands: 'list',
    plain:
      '-0abcDhHklLmPsSxgnrAi --all --apparent-size --bytes --total --dereference-args --human-readable --inodes --dereference --count-links --no-dereference --separate-dirs --si --summarize --one-file-system --null --time',
    takes: '-B -d -t -I --block-size --max-depth --threshold --exclude --time-style',
    files: { '-X --exclude-from': 'read' },
    examples: {
      allow: ['du -sh .', 'du -sh *', 'du -xh -d 2 .', 'du -h --max-depth=1', 'du -a --exclude=.env .'],
      ask: ['du --files0-from=x', 'du -X .env .', 'du -s /etc'],
    },
  },
  'stat gstat': {
    operands: 'list',
    plain: '-LlnqrsxF --dereference --file-system --terse --cached',
    takes: '-c -f -t --format --printf',
    examples: { allow: ['stat package.json', 'stat -c %s a.txt', 'stat -f %z a'], ask: ['stat -L /etc/x'] },
  },
  file: {
    operands: 'list',
    plain:
      '-bdEiIhkLlNnprsSvzZ0 --brief --mime --mime-type --mime-encoding --keep-going --dereference --no-dereference --no-pad --print0 --raw --special-files --uncompress --extension --apple --list',
    takes: '-F -e -P --separator --exclude --parameter',
    files: { '-f --files-from': 'read' },
    flags: { '-C --compile': 'fs.write-option', '-m -M --magic-file': 'shell.unknown-option' },
    examples: {
      allow: ['file x.bin', 'file -b --mime-type x'],
      ask: ['file *', 'file -C -m x', 'file -m x y', 'file -f .env'],
    },
  },
  realpath: {
    operands: 'list',
    plain:
      '-eEmLPqsz --canonicalize --canonicalize-existing --canonicalize-missing --logical --physical --quiet --strip --no-symlinks --zero',
    takes: '--relative-to --relative-base',
    examples: { allow: ['realpath src', 'realpath --relative-to=. a'], ask: ['realpath -q /etc/x'] },
  },
  readlink: {
    operands: 'list',
    plain:
      '-femnqsvz --canonicalize --canonicalize-existing --canonicalize-missing --no-newline --quiet --silent --verbose --zero',
    examples: { allow: ['readlink -f src/main.ts'], ask: ['readlink -f /etc/x'] },
  },
  'df gdf': {
    plain:
      '-ahHikPTlIYgmnc, --all --human-readable --si --inodes --local --no-sync --sync --portability --print-type --total --output',
    takes: '-B -t -x -T --block-size --type --exclude-type',
    examples: { allow: ['df -h', 'df /', 'df -h -t ext4', 'df -hT'], ask: ['df --nonesuch'] },
  },
  'fd fdfind': {
    first: 'text',
    operands: 'list',
    plain:
      '-HIusiglLapF0 --hidden --no-ignore --no-ignore-vcs --unrestricted --case-sensitive --ignore-case --glob --regex --fixed-strings --absolute-path --list-details --follow --full-path --print0 --prune --one-file-system --strip-cwd-prefix --quiet --show-errors',
    takes:
      '-e -t -d -E -S -c -j --extension --type --max-depth --min-depth --exact-depth --exclude --size --changed-within --changed-before --owner --color --threads --max-results --path-separator --format',
    flags: { '-x -X --exec --exec-batch': 'code.inline' },
    files: { '-C --base-directory --search-path': 'list', '--ignore-file': 'read' },
    examples: {
      allow: ['fd -e ts foo', 'fd -H foo'],
      ask: ['fd -x rm', 'fd -Hx rm', 'fd --exec-b rm', 'fd --search-path /etc x'],
    },
  },
  // cloc starts programs for archives, and sloccount keeps a directory of its own.
  'tokei scc': {
    operands: 'read',
    plain: '--by-file --files',
    examples: { allow: ['tokei', 'scc src'], ask: ['cloc src', 'tokei -o json', 'scc --output x'] },
  },
}
