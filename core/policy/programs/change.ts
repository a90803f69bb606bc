import type { ProgramTable } from './program.ts'

/** Programs that change files, processes or the machine. */
export const change: ProgramTable = {
  mkdir: {
    operands: 'create',
    plain: '-pvZ --parents --verbose --context',
    takes: '-m --mode',
    examples: { ask: ['mkdir out', 'mkdir -m 755 out'], deny: ['mkdir -p /etc/x', 'mkdir -Z /etc/x'] },
  },
  touch: {
    operands: 'create',
    plain: '-acmfhA --no-create --no-dereference --time',
    takes: '-d -t --date',
    files: { '-r --reference': 'read' },
    examples: { ask: ['touch a.txt', 'touch ../../x'] },
  },
  'mkfifo mknod': { operands: 'create', plain: '-Z', takes: '-m --mode', examples: { ask: ['mkfifo p'] } },
  tee: {
    operands: 'write',
    plain: '-aipu --append --ignore-interrupts --output-error',
    examples: { ask: ['tee out.txt'], deny: ['tee /etc/passwd'] },
  },
  'cp gcp pcp': {
    operands: 'read',
    last: 'write',
    plain:
      '-aAbdfFHiLlnNpPrRsTuvxXZc --archive --attributes-only --backup --copy-contents --force --interactive --link --dereference --no-clobber --no-dereference --preserve --no-preserve --parents --recursive --reflink --remove-destination --sparse --strip-trailing-slashes --symbolic-link --no-target-directory --update --verbose --one-file-system',
    takes: '-S --suffix',
    files: { '-t --target-directory': 'write' },
    examples: { ask: ['cp a b', 'cp -r src /tmp/x'], deny: ['cp ~/.ssh/id_rsa x', 'cp x /etc/passwd'] },
  },
  install: {
    operands: 'read',
    last: 'write',
    plain: '-bcCdDpsTvZ --backup --compare --directory --preserve-timestamps --no-target-directory --verbose',
    takes: '-m -o -g -S --mode --owner --group --suffix',
    files: { '-t --target-directory': 'write' },
    examples: { ask: ['install -m 755 a b'] },
  },
  'mv gmv rename': {
    operands: 'source',
    last: 'write',
    plain:
      '-bfhinTuvZx --backup --force --interactive --no-clobber --strip-trailing-slashes --no-target-directory --update --verbose --exchange',
    takes: '-S --suffix',
    files: { '-t --target-directory': 'write' },
    examples: { ask: ['mv a b'], deny: ['mv / /dev/null', 'mv ~ /dev/null', 'mv x /etc/sudoers'] },
  },
  ln: {
    operands: 'read',
    last: 'create',
    plain:
      '-bdFfhiLnPrsTvw --backup --directory --force --interactive --logical --no-dereference --physical --relative --symbolic --no-target-directory --verbose',
    takes: '-S --suffix',
    files: { '-t --target-directory': 'create' },
    examples: { ask: ['ln -s a b'], deny: ['ln -s /etc/shadow x'] },
  },
  'rm grm unlink': {
    operands: 'delete',
    plain: '-dfiIPvWx --dir --force --interactive --one-file-system --preserve-root --verbose',
    flags: { '-r -R --recursive': 'tree', '--no-preserve-root': 'floor.delete-root' },
    examples: {
      ask: ['rm build.log', 'rm -rf dist', 'rm -f a b'],
      deny: ['rm -rf /', 'rm -rf ~', 'rm -r /etc', 'rm -rf "$X/"'],
    },
  },
  'rmdir trash trash-put gio-trash del': { operands: 'delete', examples: { ask: ['rmdir out'] } },
  rimraf: { operands: 'delete-tree', examples: { ask: ['rimraf dist'], deny: ['rimraf /'] } },
  shred: {
    operands: 'delete-tree',
    takes: '-n -s --iterations --size',
    files: { '--random-source': 'read' },
    examples: { ask: ['shred x'], deny: ['shred /dev/sda', 'shred -u /etc/passwd'] },
  },
  truncate: {
    operands: 'write',
    takes: '-s --size',
    files: { '-r --reference': 'read' },
    examples: { ask: ['truncate -s 0 a.log'], deny: ['truncate -s 0 /etc/passwd'] },
  },
  'fallocate split csplit': {
    operands: 'write',
    takes: '-l -o -n -b --length --offset',
    examples: { ask: ['split big.txt'] },
  },
  'chmod gchmod': {
    first: 'text',
    operands: 'mode',
    flags: { '-R --recursive': 'tree' },
    files: { '--reference': 'list' },
    examples: {
      ask: ['chmod +x run.sh', 'chmod -R 755 dist'],
      deny: ['chmod -R 777 /', 'chmod 777 /etc/shadow'],
    },
  },
  'chown chgrp chattr setfacl chflags xattr chcon': {
    first: 'text',
    operands: 'mode',
    flags: { '-R --recursive -r': 'tree' },
    takes: '--from',
    files: { '--reference': 'list' },
    examples: { ask: ['chown me a'], deny: ['chown -R me /', 'chown me /etc/sudoers'] },
  },
  'gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd lz4 compress uncompress': {
    effect: 'text.decode',
    operands: 'write',
    plain:
      '-acdfhklnNqrtvzCe# --stdout --to-stdout --decompress --uncompress --compress --force --keep --list --quiet --recursive --test --verbose --fast --best --rm',
    takes: '-S --suffix -T --threads -b',
    files: { '-o --output': 'write' },
    examples: { ask: ['gzip a.log', 'xz --files=x', 'gzip -dc .env'], allow: ['gzip -dc', 'gzip -9'] },
  },
  'zip 7z 7za rar': {
    operands: 'read',
    first: 'write',
    takes: '-x -i -P -n',
    flags: { '-T -TT --unzip-command': 'code.inline', '-e -m': 'fs.write-option' },
    examples: { ask: ['zip -r a.zip src', 'zip -r - .'] },
  },
  unzip: {
    effect: 'fs.unpack',
    operands: 'text',
    first: 'read',
    files: { '-d': 'write' },
    takes: '-x -P',
    examples: { ask: ['unzip a.zip'] },
  },
  'unrar unar ar cpio pax': {
    effect: 'fs.unpack',
    operands: 'text',
    examples: { ask: ['unrar x a.rar', 'cpio -idm'] },
  },
  patch: {
    effect: 'fs.patch',
    operands: 'write',
    takes: '-p --strip -F --fuzz',
    files: { '-i --input': 'read', '-o --output -r --reject-file -d --directory': 'write' },
    examples: { ask: ['patch -p1 -i a.diff'] },
  },
  'dos2unix unix2dos': { operands: 'write', examples: { ask: ['dos2unix a'] } },
  'kill pkill killall skill xkill fuser': {
    effect: 'process.kill',
    free: true,
    examples: { ask: ['kill 123', 'pkill node'], deny: ['kill -9 -1'] },
  },
  renice: { effect: 'process.kill', free: true, examples: { ask: ['renice 5 1'] } },
  dd: {
    effect: 'fs.raw',
    free: true,
    examples: { ask: ['dd if=a of=b'], deny: ['dd if=/dev/zero of=/dev/sda'] },
  },
  systemctl: {
    subcommands: {
      'status show list-units list-unit-files list-timers list-sockets list-dependencies is-active is-enabled is-failed is-system-running cat help get-default':
        {},
      'poweroff reboot halt kexec emergency rescue suspend hibernate exit switch-root soft-reboot': {
        effect: 'floor.shutdown',
      },
    },
    other: 'system.service',
    bare: 'info',
    plain:
      '-alqrT --all --full --quiet --recursive --failed --no-pager --no-legend --plain --user --system --reverse --before --after --with-dependencies --value --show-types --legend',
    takes: '-H -M -t -p -P -n -o --type --state --property --lines --output --host --machine',
    flags: { '-H --host -M --machine': 'network.remote' },
    examples: {
      allow: ['systemctl status nginx', 'systemctl list-units --failed', 'systemctl show -p MainPID x'],
      ask: [
        'systemctl show nginx',
        'systemctl restart nginx',
        'systemctl --root=x status',
        'systemctl --failed -H x',
      ],
      deny: ['systemctl poweroff', 'systemctl stop skynet-agent'],
    },
  },
  'service rc-service initctl launchctl supervisorctl': {
    subcommands: { 'list print status': {} },
    other: 'system.service',
    examples: { ask: ['service nginx restart'] },
  },
  'apt apt-get apt-cache': {
    subcommands: {
      'list search show policy depends rdepends showpkg pkgnames stats': {
        plain:
          '-aniq --installed --upgradable --upgradeable --all-versions --names-only --full --recurse --manual-installed',
      },
    },
    other: 'package.system',
    bare: 'info',
    network: true,
    examples: {
      allow: ['apt list', 'apt list --installed', 'apt show curl', 'apt-cache policy curl'],
      ask: [
        'apt install curl',
        'apt-get remove x',
        'apt list -o Dir::Bin::dpkg=/tmp/x',
        'apt list -oDir::Bin::dpkg=/tmp/x',
        'apt -c x list',
        'apt list --option=a=b',
      ],
    },
  },
  'aptitude dnf yum zypper apk emerge snap flatpak port nix-env pkg': {
    subcommands: { 'list search show info policy': { effect: 'package.query', network: true } },
    other: 'package.system',
    bare: 'info',
    network: true,
    examples: { ask: ['dnf list', 'apk add x'] },
  },
  'dpkg rpm pacman yay paru xbps-install': {
    subcommands: { '-l -L -s -q -qa -qi --list --status --version': {} },
    other: 'package.system',
    bare: 'package.system',
    network: true,
    examples: {
      allow: ['dpkg -l', 'rpm -qa'],
      ask: ['pacman -Syu', 'rpm -i x.rpm', 'dpkg -i x.deb', 'rpm -qa --pipe x', 'dpkg --root=x -l'],
    },
  },
  // What it is given by name may be a file of Ruby code.
  brew: {
    subcommands: {
      'list ls leaves --prefix config': { operands: 'run', plain: '-1lrt --formula --cask --versions' },
    },
    other: 'package.system',
    bare: 'info',
    network: true,
    examples: {
      allow: ['brew list', 'brew list --cask', 'brew --version'],
      ask: ['brew install jq', 'brew info ./x.rb', 'brew list ./x.rb'],
    },
  },
  'mount umount swapon swapoff losetup modprobe insmod rmmod sysctl ifconfig route ethtool nmcli iw iwconfig brctl tc hostapd setenforce aa-teardown tuned-adm update-grub grub-install efibootmgr update-alternatives ldconfig depmod mdadm lvremove vgremove pvremove lvcreate resize2fs tune2fs fsck e2fsck xfs_repair cryptsetup btrfs zfs zpool parted gdisk sgdisk cfdisk sfdisk partprobe quotaon ntpdate hwclock chronyc visudo vipw passwd chpasswd chage useradd adduser usermod groupadd groupmod gpasswd newusers pw_useradd sudoedit chsh chfn setcap update-rc.d chkconfig semanage restorecon dscl defaults scutil networksetup pmset spctl csrutil nvram diskutil hdiutil tmutil softwareupdate security kextload ufw firewall-cmd nft iptables ip6tables ebtables pfctl auditctl apparmor_parser logrotate kpatch':
    {
      effect: 'system.admin',
      free: true,
      examples: {
        ask: ['mount', 'useradd bob', 'sysctl -w a=b'],
        deny: ['iptables -F', 'ufw disable'],
      },
    },
  'at batch anacron': { effect: 'schedule.change', free: true, examples: { ask: ['at now'] } },
  crontab: {
    effect: 'schedule.change',
    free: true,
    flags: { '-r': 'floor.delete-schedule' },
    examples: { ask: ['crontab -l', 'crontab x'], deny: ['crontab -r', 'crontab -ir'] },
  },
  'tmux screen zellij': { effect: 'code.inline', free: true, examples: { ask: ['tmux new -d "x"'] } },
  'vi vim nvim view ex ed nano emacs pico micro hx joe code subl open xdg-open start osascript': {
    effect: 'code.inline',
    free: true,
    examples: { ask: ['vim -c ":!id"', 'nano x'] },
  },
  'gdb lldb valgrind perf bpftrace dtrace ltrace': {
    effect: 'code.inline',
    free: true,
    examples: { ask: ['gdb ./a.out'] },
  },
  alias: { effect: 'shell.alias', free: true, bare: 'info', examples: { ask: ["alias ls='rm -rf x'"] } },
  unalias: { plain: '-a' },
  'enable bind complete compgen compopt caller dirs pushd popd suspend logout coproc': {
    effect: 'shell.builtin-rare',
    free: true,
    examples: { ask: ['enable -f x y'] },
  },
  'cd chdir': { operands: 'list', plain: '-LPe@', examples: { allow: ['cd src'], ask: ['cd /etc'] } },
}
