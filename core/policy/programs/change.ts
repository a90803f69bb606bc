import type { ProgramTable } from './program.ts'

/** Programs that change files, processes or the machine. */
export const change: ProgramTable = {
  mkdir: {
    operands: 'create',
    takes: '-m --mode -Z --context',
    examples: { ask: ['mkdir out'], deny: ['mkdir -p /etc/x'] },
  },
  touch: {
    operands: 'create',
    takes: '-d -t --date',
    files: { '-r --reference': 'read' },
    examples: { ask: ['touch a.txt', 'touch ../../x'] },
  },
  'mkfifo mknod': { operands: 'create', examples: { ask: ['mkfifo p'] } },
  tee: {
    operands: 'write',
    takes: '--output-error',
    examples: { ask: ['tee out.txt'], deny: ['tee /etc/passwd'] },
  },
  'cp gcp pcp': {
    operands: 'read',
    last: 'write',
    takes: '-S --suffix --backup --sparse',
    files: { '-t --target-directory': 'write' },
    examples: { ask: ['cp a b', 'cp -r src /tmp/x'], deny: ['cp ~/.ssh/id_rsa x', 'cp x /etc/passwd'] },
  },
  install: {
    operands: 'read',
    last: 'write',
    takes: '-m -o -g -S --mode --owner --group',
    files: { '-t --target-directory': 'write' },
    examples: { ask: ['install -m 755 a b'] },
  },
  'mv gmv rename': {
    operands: 'source',
    last: 'write',
    takes: '-S --suffix --backup',
    files: { '-t --target-directory': 'write' },
    examples: { ask: ['mv a b'], deny: ['mv / /dev/null', 'mv ~ /dev/null', 'mv x /etc/sudoers'] },
  },
  ln: {
    operands: 'read',
    last: 'create',
    takes: '-S --suffix --backup',
    files: { '-t --target-directory': 'create' },
    examples: { ask: ['ln -s a b'], deny: ['ln -s /etc/shadow x'] },
  },
  'rm grm unlink': {
    operands: 'delete',
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
    takes: '-S --suffix -T',
    files: { '-o': 'write' },
    examples: { ask: ['gzip a.log'], allow: ['gzip -dc'] },
  },
  'zip 7z 7za rar': {
    operands: 'read',
    first: 'write',
    takes: '-x -i -P -n',
    flags: { '-T -TT --unzip-command': 'code.inline', '-e -m': 'fs.write-option' },
    examples: { ask: ['zip -r a.zip src'] },
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
        {
          takes: '-n -o -t -p --lines --output --type --state --property',
          flags: { '-H --host -M --machine': 'network.remote' },
        },
      'poweroff reboot halt kexec emergency rescue suspend hibernate exit switch-root soft-reboot': {
        effect: 'floor.shutdown',
      },
    },
    other: 'system.service',
    bare: 'info',
    takes: '-H -M -t -p -n -o',
    flags: { '-H --host -M --machine': 'network.remote' },
    examples: {
      allow: ['systemctl status nginx', 'systemctl list-units --failed'],
      ask: ['systemctl restart nginx'],
      deny: ['systemctl poweroff', 'systemctl stop skynet-agent'],
    },
  },
  'service rc-service initctl launchctl supervisorctl': {
    subcommands: { 'list print status': {} },
    other: 'system.service',
    examples: { ask: ['service nginx restart'] },
  },
  'apt apt-get aptitude dnf yum zypper apk emerge snap flatpak port nix-env pkg': {
    subcommands: { 'list search show info policy': { network: false } },
    other: 'package.system',
    bare: 'info',
    network: true,
    examples: { allow: ['apt list'], ask: ['apt install curl', 'apt-get remove x'] },
  },
  'dpkg rpm pacman yay paru xbps-install': {
    subcommands: { '-l -L -s -q -qa -qi --list --status --version': {} },
    other: 'package.system',
    bare: 'package.system',
    network: true,
    examples: { allow: ['dpkg -l'], ask: ['pacman -Syu', 'rpm -i x.rpm', 'dpkg -i x.deb'] },
  },
  brew: {
    subcommands: { 'list info --version --prefix config doctor deps leaves': {} },
    other: 'package.system',
    network: true,
    examples: { allow: ['brew list'], ask: ['brew install jq'] },
  },
  'mount umount swapon swapoff losetup modprobe insmod rmmod sysctl ip ifconfig route ethtool nmcli iw iwconfig brctl tc hostapd setenforce aa-teardown tuned-adm update-grub grub-install efibootmgr update-alternatives ldconfig depmod mdadm lvremove vgremove pvremove lvcreate resize2fs tune2fs fsck e2fsck xfs_repair cryptsetup btrfs zfs zpool parted gdisk sgdisk cfdisk sfdisk partprobe quotaon ntpdate hwclock chronyc visudo vipw passwd chpasswd chage useradd adduser usermod groupadd groupmod gpasswd newusers pw_useradd sudoedit chsh chfn setcap update-rc.d chkconfig semanage restorecon dscl defaults scutil networksetup pmset spctl csrutil nvram diskutil hdiutil tmutil softwareupdate security kextload ufw firewall-cmd nft iptables ip6tables ebtables pfctl auditctl apparmor_parser logrotate kpatch':
    {
      effect: 'system.admin',
      free: true,
      examples: {
        ask: ['mount', 'ip addr', 'useradd bob', 'sysctl -w a=b'],
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
  unalias: {},
  'enable bind complete compgen compopt caller dirs pushd popd suspend logout coproc': {
    effect: 'shell.builtin-rare',
    free: true,
    examples: { ask: ['enable -f x y'] },
  },
  'cd chdir': { operands: 'list', examples: { allow: ['cd src'], ask: ['cd /etc'] } },
}
