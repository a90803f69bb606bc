import type { ProgramTable } from './program.ts'

/** Programs that look and do not touch. */
export const look: ProgramTable = {
  'echo printf : true false test [ sleep pwd basename dirname seq expr yes exit return break continue shift wait times umask tty logname factor':
    {
      free: true,
      examples: { allow: ['echo hi', 'true', 'sleep 30', 'test -f x', 'printf "%s\\n" a', 'echo $HOME'] },
    },
  'bg fg ulimit disown type which whereis whatis apropos cal ncal banner figlet tput clear reset stty nproc arch groups id whoami w users uptime vmstat iostat mpstat lscpu lsblk lsusb lspci lsmod lsof free getconf locale pgrep pidof sensors numfmt uuidgen':
    {
      examples: { allow: ['whoami', 'uptime', 'which node', 'free -h', 'pgrep node'] },
    },
  mktemp: {
    operands: 'create',
    files: { '-p --tmpdir': 'create' },
    examples: { allow: ['mktemp', 'mktemp -d'], ask: ['mktemp /opt/x.XXX'] },
  },
  'tsort who last lastlog': {
    operands: 'read',
    files: { '-f --file': 'read' },
    examples: { allow: ['who', 'last'], deny: ['tsort /etc/shadow', 'who /etc/shadow'] },
  },
  uname: { examples: { allow: ['uname -a'] } },
  hostname: {
    operands: 'run',
    files: { '-F --file': 'read' },
    examples: { allow: ['hostname'], ask: ['hostname other'] },
  },
  date: {
    takes: '-d --date -f -r -I',
    flags: { '-s --set': 'system.admin' },
    files: { '-f --file -r --reference': 'read' },
    free: false,
    examples: { allow: ['date', 'date -u +%F', 'date -d yesterday'], ask: ['date -s 2020-01-01'] },
  },
  'ls dir vdir exa eza lsd': {
    operands: 'list',
    takes: '-I -w -T --ignore --width --sort --color --time --format --level -L',
    examples: { allow: ['ls', 'ls -la src', 'ls /', 'ls *.ts'], ask: ['ls /etc'] },
  },
  tree: {
    operands: 'list',
    takes: '-L -P -I --filelimit --charset',
    flags: { '-R': 'fs.write-option' },
    files: { '-o': 'write', '--fromfile': 'read' },
    examples: { allow: ['tree -L 2'], ask: ['tree -o out.txt'] },
  },
  'du stat file realpath readlink': {
    operands: 'list',
    takes:
      '-d --max-depth -c --format -t --threshold --exclude -B --block-size --printf --relative-to --relative-base --mime-type',
    files: { '-f --files-from --files0-from -X --exclude-from -m --magic-file': 'read' },
    flags: { '-C --compile': 'fs.write' },
    examples: { allow: ['du -sh .', 'stat package.json', 'file x.bin', 'realpath src'] },
  },
  df: { effect: 'info', takes: '-t -x -B --type --output', examples: { allow: ['df -h', 'df /'] } },
  'cat tac nl head tail bat batcat wc cut paste fold fmt expand unexpand od hexdump strings column rev comm join cksum md5sum sha1sum sha224sum sha256sum sha512sum b2sum sum md5 shasum diff cmp colordiff zcat bzcat xzcat zstdcat zgrep look pr readelf csvlook hexyl':
    {
      operands: 'read',
      takes:
        '-n -c -w -d -f -b -s -k -j -t -N -A -i -v -l -a -u -S -o -C -U -m --lines --bytes --width --delimiter --fields --characters --format --label --unified --context -L -I --algorithm -T -e -P --language --line-range --theme',
      files: {
        '--files0-from --exclude-from -X': 'read',
        '--output': 'write',
        '--from-file --to-file': 'read',
      },
      flags: { '--pager --plugin': 'code.inline' },
      examples: {
        allow: [
          'cat README.md',
          'head -n 5 a.txt',
          'tail -f log.txt',
          'wc -l src/a.ts',
          'diff a b',
          'cut -d: -f1 x',
          'cat /etc/os-release',
          'sha256sum x.tgz',
        ],
        ask: ['cat .env', 'cat /etc/hosts.deny', 'cat /opt/x'],
        deny: ['cat /etc/shadow', 'cat ~/.ssh/id_rsa'],
      },
    },
  'less more zless': {
    operands: 'read',
    takes: '-b -h -j -p -x -y -z -P --pattern --prompt',
    files: { '-o -O --log-file --LOG-FILE': 'write' },
    flags: { '-k -t -T --lesskey-file --lesskey-src --lesskey-content --tag --tag-file': 'code.inline' },
    examples: { allow: ['less README.md'], ask: ['less -o out a', 'less +!id a', 'less -k x a'] },
  },
  xxd: {
    effect: 'text.decode',
    operands: 'read',
    last: 'write',
    takes: '-c -l -s -g -o -n -seek -cols -len',
    examples: { allow: ['xxd -r -p a', 'xxd -l 16 a'], ask: ['xxd a b'] },
  },
  'base64 base32 basenc': {
    effect: 'text.decode',
    operands: 'read',
    takes: '-w --wrap -c -l -s -g',
    files: { '-o --output': 'write', '-i --input': 'read' },
    examples: { allow: ['base64 x', 'base64 -d x'] },
  },
  'tr gunzip-c': { effect: 'text.decode', examples: { allow: ['tr a b'] } },
  uniq: {
    operands: 'read',
    last: 'write',
    takes: '-f -s -w',
    examples: { allow: ['uniq -c', 'uniq a'], ask: ['uniq a b'] },
  },
  sort: {
    operands: 'read',
    takes: '-k -t -S --key --field-separator --buffer-size --parallel --batch-size --sort',
    files: {
      '-o --output': 'write',
      '-T --temporary-directory': 'list',
      '--files0-from --random-source': 'read',
    },
    flags: { '--compress-program': 'code.inline' },
    examples: {
      allow: ['sort -u a.txt', 'sort -k2,2n -t, x.csv'],
      ask: ['sort -o out a', 'sort --compress-prog=./x a', 'sort -uo out a'],
    },
  },
  'grep egrep fgrep': {
    first: 'text',
    operands: 'read',
    firstUnless: '-e -f --regexp --file',
    takes:
      '-e -m -A -B -C -d -D --regexp --max-count --after-context --before-context --context --include --exclude --exclude-dir --color --colour --binary-files --label',
    files: { '-f --file --exclude-from': 'read' },
    examples: {
      allow: ['grep -rn TODO src', 'grep -e x -e y f'],
      ask: ['grep KEY .env'],
      deny: ['grep root /etc/shadow'],
    },
  },
  'rg ag ack': {
    first: 'text',
    operands: 'read',
    firstUnless: '-e -f --regexp --file --files --type-list',
    takes:
      '-e -A -B -C -g -t -T -m -r -j -M -d --regexp --glob --iglob --type --type-not --max-count --max-depth --replace --sort --sortr --context --color --colors --threads --max-columns --engine --encoding -E --ignore',
    files: { '-f --file --ignore-file': 'read' },
    flags: { '--pre --hostname-bin --pager -z-pre': 'code.inline' },
    examples: { allow: ['rg foo', 'rg -g "*.ts" foo src'], ask: ['rg --pre ./x foo', 'rg --pre=sh foo'] },
  },
  'fd fdfind': {
    first: 'text',
    operands: 'list',
    takes:
      '-e -t -d -E -g -S -c -j --extension --type --max-depth --exclude --glob --size --changed-within --changed-before',
    flags: { '-x -X --exec --exec-batch': 'code.inline' },
    files: { '-C --base-directory --search-path': 'list', '--ignore-file': 'read' },
    examples: { allow: ['fd -e ts foo'], ask: ['fd -x rm'] },
  },
  'jq yq': {
    first: 'text',
    operands: 'read',
    firstUnless: '-f --from-file',
    takes: '--indent --tab -o -p --output-format --input-format',
    files: { '-f --from-file -L': 'read', '--slurpfile --rawfile': 'read' },
    flags: { '-i --inplace --in-place --split-exp': 'fs.write-option' },
    examples: {
      allow: ["jq '.name' package.json", "jq -r '.scripts | keys[]' package.json"],
      ask: ["yq -i '.a=1' x.yaml"],
    },
  },
  'ps pstree': {
    examples: { allow: ['ps aux', 'ps -ef', 'ps -o pid,rss'], ask: ['ps auxe'] },
    flags: { e: 'info' },
  },
  'top htop btop': { effect: 'info', takes: '-n -d -u -p -o -w -E', examples: { allow: ['top -b -n1'] } },
  'netstat ss': {
    effect: 'info',
    takes: '-f -p',
    flags: { '-K --kill': 'process.kill' },
    examples: { allow: ['ss -tlnp', 'netstat -an'] },
  },
  'man help tldr cheat': {
    flags: { '-P --pager -H --html -C --config-file -X --gxditview -l --local-file -B': 'code.inline' },
    examples: { allow: ['man ls'], ask: ["man -P 'sh -c id' ls"] },
  },
  'printenv env': { effect: 'secrets.environment', examples: { ask: ['env', 'printenv'] } },
  history: {
    effect: 'secrets.environment',
    flags: { '-c -w -d -a -r': 'fs.write-option' },
    examples: { ask: ['history'] },
  },
  'export declare typeset readonly local': {
    free: false,
    bare: 'secrets.environment',
    flags: { '-p': 'secrets.environment' },
    examples: {
      allow: ['export NODE_ENV=test'],
      ask: [
        'export',
        'export -p',
        'export PATH=/x:$PATH',
        "export 'PATH=/x'",
        'declare "PATH=/x"',
        'declare -x',
        'readonly PATH=/x',
      ],
    },
  },
  journalctl: {
    effect: 'system.logs',
    takes:
      '-u -n -p -S -U -o -b -g -t --since --until --unit --lines --priority --output --grep --boot --user-unit',
    flags: {
      '--rotate --flush --sync --vacuum-size --vacuum-time --vacuum-files --setup-keys --update-catalog --relinquish-var --smart-relinquish-var':
        'system.admin',
    },
    files: { '-D --directory --file --root': 'read' },
    examples: { allow: ['journalctl -u nginx -n 50'], ask: ['journalctl --vacuum-size=1K'] },
  },
  dmesg: {
    effect: 'system.logs',
    takes: '-l -f -n',
    flags: { '-C -c --clear --read-clear -D -E -n': 'system.admin' },
    examples: { allow: ['dmesg'], ask: ['dmesg -C'] },
  },
  'timedatectl hostnamectl localectl loginctl': {
    effect: 'info',
    subcommands: { 'status show list list-timezones list-sessions list-users': {} },
    other: 'system.admin',
    examples: { allow: ['timedatectl status', 'hostnamectl'], ask: ['hostnamectl set-hostname x'] },
  },
  'sw_vers system_profiler vm_stat lsb_release nvidia-smi rocm-smi neofetch fastfetch': {
    examples: { allow: ['sw_vers', 'nvidia-smi'] },
    flags: { '-pm -pl -r --gpu-reset -e -c -mig': 'system.admin' },
    longDash: true,
  },
  'read getopts mapfile readarray unset let jobs hash set shopt': {
    bare: 'info',
    examples: {
      allow: ['set -e', 'set -euo pipefail', 'unset X', 'read X', 'jobs'],
      ask: [
        'set',
        'set -k',
        'read PATH',
        'unset PATH',
        'let PATH=0',
        'hash -p /tmp/x ls',
        'jobs -x ls',
        'shopt -s lastpipe',
      ],
    },
  },
  'cloc tokei scc sloccount': {
    operands: 'read',
    files: { '-o --out --output --report-file --sql --write-lang-def': 'write' },
    flags: { '--vcs --extract-with --config': 'code.inline' },
    examples: { allow: ['tokei'] },
  },
}
