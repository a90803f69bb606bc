import type { ProgramTable } from './program.ts'

/** Programs that look at the machine, its processes and its logs. */
export const lookMachine: ProgramTable = {
  'bg fg banner figlet reset arch whoami lsmod': { examples: { allow: ['whoami'], ask: ['figlet -f x a'] } },
  clear: { plain: '-xV', takes: '-T', examples: { allow: ['clear'] } },
  which: { plain: '-as --all', examples: { allow: ['which node', 'which -a node'], ask: ['which -i x'] } },
  whereis: { plain: '-bmsul', examples: { allow: ['whereis ls'] } },
  'whatis apropos': { plain: '-aerwlds', examples: { allow: ['whatis ls'], ask: ['apropos -C x y'] } },
  'cal ncal': { plain: '-123BbehjJMmNnpSswYy#', takes: '-A -d -H', examples: { allow: ['cal', 'cal -3'] } },
  tput: { takes: '-T', examples: { allow: ['tput cols'], ask: ['tput -S'] } },
  stty: { plain: '-ag --all --save', examples: { allow: ['stty -a'], ask: ['stty -F x'] } },
  nproc: { plain: '--all', takes: '--ignore', examples: { allow: ['nproc', 'nproc --all'] } },
  id: {
    plain: '-aGgnruzZP --user --group --groups --name --real --zero --context',
    examples: { allow: ['id', 'id -un'] },
  },
  groups: { examples: { allow: ['groups'] } },
  w: { plain: '-hsfiou --no-header --short --from --ip-addr', examples: { allow: ['w', 'w -h'] } },
  uptime: {
    operands: 'read',
    plain: '-psr --pretty --since',
    examples: { allow: ['uptime', 'uptime -p'], ask: ['uptime .env'] },
  },
  vmstat: {
    plain: '-adDfimnstwyzP --active --disk --forks --slabs --one-header --stats --timestamp --wide',
    takes: '-S -p --unit --partition -c',
    examples: { allow: ['vmstat 1 5', 'vmstat -s'] },
  },
  'iostat mpstat': {
    plain: '-AcdhkmNstuxyzVu --human --pretty --dec',
    takes: '-P -I -n -p -H -w -C',
    examples: { allow: ['iostat -x', 'mpstat -P ALL'], ask: ['iostat -f x'] },
  },
  lscpu: {
    plain: '-abcJxyBV --all --online --offline --json --hex --physical --bytes',
    maybe: '-e -p -C --extended --parse --caches',
    examples: { allow: ['lscpu', 'lscpu -J'] },
  },
  lsblk: {
    plain:
      '-abdDfiJlmMnNOpPrsStTvVzA --all --bytes --nodeps --discard --fs --ascii --json --list --perms --noheadings --output-all --paths --pairs --raw --inverse --scsi --topology --tree',
    takes: '-e -E -I -o -w -x -Q --exclude --include --output --sort --width --filter',
    examples: { allow: ['lsblk', 'lsblk -f', 'lsblk -o NAME,SIZE'], ask: ['lsblk --sysroot x'] },
  },
  lsusb: {
    plain: '-tv --tree --verbose',
    takes: '-s -d',
    examples: { allow: ['lsusb -t'], ask: ['lsusb -D x'] },
  },
  lspci: {
    plain: '-vkntDmbPx',
    takes: '-s -d',
    examples: { allow: ['lspci -v'], ask: ['lspci -F x', 'lspci -i x', 'lspci -q'] },
  },
  lsof: {
    operands: 'list',
    plain: '-abhlnNoOPRtUvVXwC',
    takes: '-c -p -u -g -d -F -k',
    maybe: '-i -s -T',
    examples: {
      allow: ['lsof -i', 'lsof -nP -iTCP:3000 -sTCP:LISTEN'],
      ask: ['lsof -D b/x', 'lsof +D /etc'],
    },
  },
  free: {
    plain:
      '-bkmghtwlvL --bytes --kilo --mega --giga --kibi --mebi --gibi --human --si --lohi --line --total --wide',
    takes: '-s -c --seconds --count',
    examples: { allow: ['free -h', 'free -m'] },
  },
  getconf: { plain: '-a', takes: '-v', examples: { allow: ['getconf PAGE_SIZE'] } },
  locale: { plain: '-amckv --all-locales --charmaps', examples: { allow: ['locale -a'] } },
  pgrep: {
    plain:
      '-acfilnovwxLAqS --count --ignore-case --full --list-name --list-full --newest --oldest --inverse --exact --lightweight',
    takes:
      '-d -g -G -P -s -t -u -U -r -O --delimiter --pgroup --group --parent --session --terminal --euid --uid --runstates --older',
    files: { '-F --pidfile': 'read' },
    examples: { allow: ['pgrep node', 'pgrep -fl node'], ask: ['pgrep -F .env'] },
  },
  pidof: { plain: '-sxqcwzt', takes: '-o -S', examples: { allow: ['pidof nginx'] } },
  sensors: {
    plain: '-ufjAv --fahrenheit',
    examples: { allow: ['sensors'], ask: ['sensors -s', 'sensors -c x'] },
  },
  numfmt: {
    plain: '-zd --debug --grouping --zero-terminated --header',
    takes:
      '--from --to --from-unit --to-unit --field --format --padding --round --suffix --invalid --delimiter',
    examples: { allow: ['numfmt --to=iec 1024'] },
  },
  uuidgen: { plain: '-rtmsx6 --random --time', takes: '-n -N -C', examples: { allow: ['uuidgen'] } },
  'tsort who users last lastb lastlog': {
    operands: 'read',
    plain:
      '-abdHlmpqrTwuRFix# --all --boot --dead --heading --login --mesg --process --count --runlevel --time --users --writable --fullnames --hostlast --dns --fulltimes --ip',
    takes: '-n -s -t --limit --since --until --present --user --before',
    files: { '-f --file': 'read' },
    examples: {
      allow: ['who', 'last', 'last -n 5', 'last -5'],
      ask: ['lastlog -C', 'lastlog -S', 'who -a .env', 'users .env'],
      deny: ['tsort /etc/shadow', 'who /etc/shadow'],
    },
  },
  uname: {
    plain:
      '-amnprsvio --all --kernel-name --nodename --kernel-release --kernel-version --machine --processor --hardware-platform --operating-system',
    examples: { allow: ['uname -a'] },
  },
  hostname: {
    operands: 'run',
    plain: '-aAdfiIsy --alias --all-fqdns --all-ip-addresses --domain --fqdn --long --ip-address --short',
    examples: {
      allow: ['hostname', 'hostname -I'],
      ask: ['hostname other', 'hostname -F .env', 'hostname -b x'],
    },
  },
  'date gdate': {
    plain: '-ujnRv --utc --universal --rfc-2822 --rfc-email --debug',
    takes: '-d -v -z --date --rfc-3339',
    maybe: '-I --iso-8601',
    flags: { '-s --set': 'system.admin' },
    files: { '-f --file -r --reference': 'read' },
    examples: {
      allow: ['date', 'date -u +%F', 'date -d yesterday', 'date -Iseconds', 'date -r 1700000000'],
      ask: ['date -s 2020-01-01', 'date --se x', 'date -f .env', 'date -us x'],
    },
  },
  'ps pstree': {
    plain:
      '-AaNdefFjlLmMTwHVycrxXSvhZnUgGpsRk --deselect --forest --headers --no-headers --width --cols --columns --lines --rows --cumulative --context --info',
    takes:
      '-C -G -g -O -o -p -q -s -t -u -U --ppid --pid --sort --format --user --User --group --Group --sid --tty',
    texts: '-o --format --sort',
    examples: {
      allow: ['ps aux', 'ps -ef', 'ps -o pid,rss', 'ps aux --sort=-%mem', 'ps -p 1', 'ps -eo pid,cmd'],
      ask: ['ps auxe', 'ps -o environ', 'ps -eo pid,environ'],
    },
  },
  'top htop btop': {
    plain: '-bcHiSs1eEmlL',
    takes: '-n -d -u -U -p -o -w',
    examples: { allow: ['top -b -n1', 'top -bn 1'], ask: ['htop --nonesuch'] },
  },
  ss: {
    plain:
      '-hHQnraloemMpiTs46tudwxSZzbOVB0 --no-header --no-queues --numeric --resolve --all --listening --options --extended --memory --processes --threads --info --tos --cgroup --summary --ipv4 --ipv6 --packet --tcp --udp --dccp --raw --unix --tipc --vsock --xdp --sctp --mptcp --bpf --oneline',
    takes: '-f -A --family --query --socket',
    flags: { '-K --kill': 'process.kill' },
    examples: {
      allow: ['ss -tlnp', 'ss -ltnp sport = :80'],
      ask: ['ss -K', 'ss -tK', 'ss -D x', 'ss -F x', 'ss -N x'],
    },
  },
  netstat: {
    plain:
      '-46aCcdegiLlmnNopRrstuvWwxbqTP --all --listening --numeric --programs --route --interfaces --statistics --tcp --udp --wide --timers --verbose --extend',
    takes: '-f -I -A',
    examples: { allow: ['netstat -an', 'netstat -tlnp'] },
  },
  man: {
    operands: 'read',
    plain: '-aefkw --all --where --path --whatis --apropos',
    takes: '-s -S --sections',
    flags: { '-P --pager -H --html -C --config-file -X --gxditview -l --local-file -B': 'code.inline' },
    examples: {
      allow: ['man ls', 'man 5 crontab'],
      ask: ["man -P 'sh -c id' ls", 'man ./x', 'man --pag=x ls', 'man -H x', 'man -M x ls'],
      deny: ['man /etc/shadow'],
    },
  },
  'tldr cheat': { effect: 'network.query', network: true, examples: { ask: ['tldr tar'] } },
  ip: {
    plain:
      '-4 -6 -B -c -d -h -i -j -N -o -p -s -t -r --brief --color --details --human --json --numeric --oneline --pretty --statistics --timestamp --resolve -br -brief -color -stats -details -json -pretty',
    takes: '-f -family',
    longDash: true,
    subcommands: {
      'addr address a link l route r neigh neighbor n rule ru maddress': {
        subcommands: { 'show list ls get': {} },
        bare: 'info',
        other: 'system.admin',
      },
    },
    other: 'system.admin',
    bare: 'info',
    examples: {
      allow: ['ip addr', 'ip -br a', 'ip link show eth0', 'ip route get 1.1.1.1'],
      ask: [
        'ip link set eth0 down',
        'ip link s eth0 down',
        'ip netns exec x sh',
        'ip -b x',
        'ip -batch x',
        'ip addr add x dev y',
      ],
    },
  },
  journalctl: {
    effect: 'system.logs',
    plain:
      '-aefklmNqrWxT# --all --pager-end --follow --dmesg --local --merge --no-pager --no-tail --quiet --reverse --catalog --utc --no-full --full --no-hostname --system --user --list-boots --disk-usage --header --fields --verify --show-cursor --output-fields --truncate-newline',
    takes:
      '-u -n -p -S -U -o -g -t -c -F --since --until --unit --lines --priority --output --grep --user-unit --identifier --facility --field --case-sensitive --cursor --after-cursor',
    maybe: '-b --boot',
    flags: {
      '--rotate --flush --sync --vacuum-size --vacuum-time --vacuum-files --setup-keys --update-catalog --relinquish-var --smart-relinquish-var':
        'system.admin',
    },
    files: { '-D --directory --file --root': 'read' },
    examples: {
      allow: ['journalctl -u nginx -n 50', 'journalctl -n 50 -u nginx', 'journalctl -b -1', 'journalctl -xe'],
      ask: [
        'journalctl --vacuum-size=1K',
        'journalctl --vac=1K',
        'journalctl --cursor-file=x',
        'journalctl -M x',
      ],
    },
  },
  dmesg: {
    effect: 'system.logs',
    plain:
      '-dehHkLPrtTuwWxSJ --decode --follow --follow-new --human --kernel --userspace --raw --ctime --notime --nopager --reltime --show-delta --color --time-format --json --syslog',
    takes: '-l -f -s --level --facility --buffer-size --since --until',
    flags: {
      '-C -c --clear --read-clear -D -E -n --console-off --console-on --console-level': 'system.admin',
    },
    examples: {
      allow: ['dmesg', 'dmesg -T', 'dmesg -l err'],
      ask: ['dmesg -C', 'dmesg -Tc', 'dmesg -F .env', 'dmesg -K x'],
    },
  },
  'timedatectl hostnamectl localectl loginctl': {
    plain: '--no-pager --no-legend --no-ask-password -al --all --full --value --json',
    takes: '-p -n -o --property --lines --output',
    subcommands: { 'status show list list-timezones list-sessions list-users': {} },
    other: 'system.admin',
    examples: {
      allow: ['timedatectl status', 'hostnamectl', 'loginctl list-sessions --no-legend'],
      ask: ['hostnamectl set-hostname x', 'hostnamectl -H host', 'timedatectl -H host status'],
    },
  },
  'sw_vers vm_stat lsb_release system_profiler': {
    longDash: true,
    plain: '-a -d -c -r -i -s -productName -productVersion -buildVersion -json -xml -listDataTypes',
    examples: { allow: ['sw_vers', 'lsb_release -a'] },
  },
  'nvidia-smi rocm-smi': {
    longDash: true,
    plain: '-L -q -x --query --list-gpus --showtemp --showuse --showmeminfo --showpids',
    takes: '-i --id -d --display --format --query-gpu --query-compute-apps',
    examples: {
      allow: ['nvidia-smi', 'nvidia-smi --query-gpu=name --format=csv', 'nvidia-smi -L'],
      ask: ['nvidia-smi -pm 1', 'nvidia-smi -f out', 'nvidia-smi --gpu-reset'],
    },
  },
  'neofetch fastfetch': { examples: { allow: ['fastfetch'], ask: ['neofetch --config x'] } },
}
