/**
 * What is sensitive on a machine, as data. Paths under a home are written without it and are meant for every home.
 * A trailing `/**` means everything below, and the directory itself.
 */

/** Reading these gives away keys, passwords or private data: on the floor of denials. */
export const credentialsInHome = [
  '.ssh/**', '.gnupg/**', '.aws/**', '.azure/**', '.config/gcloud/**', '.kube/**', '.docker/config.json',
  '.netrc', '_netrc', '.pgpass', '.my.cnf', '.git-credentials', '.config/git/credentials', '.npmrc', '.pypirc', '.yarnrc.yml',
  '.config/gh/**', '.config/hub', '.config/op/**', '.cargo/credentials', '.cargo/credentials.toml', '.gem/credentials',
  '.m2/settings.xml', '.gradle/gradle.properties', '.vault-token', '.terraform.d/**', '.terraformrc', '.password-store/**',
  '.local/share/keyrings/**', 'Library/Keychains/**', '.mozilla/**', '.thunderbird/**', '.config/google-chrome/**',
  '.config/chromium/**', 'Library/Application Support/Google/Chrome/**', 'Library/Cookies/**', '.config/rclone/**',
  '.bash_history', '.zsh_history', '.sh_history', '.python_history', '.node_repl_history', '.psql_history',
  '.mysql_history', '.local/share/fish/fish_history', '.claude/.credentials.json', '.codex/auth.json', '.s3cfg', '.boto',
] as const

/** Exceptions within the credential directories. */
export const harmlessInHome = ['.ssh/known_hosts', '.ssh/config', '.aws/config'] as const

export const credentialsOnMachine = [
  '/etc/shadow', '/etc/shadow-', '/etc/gshadow', '/etc/gshadow-', '/etc/sudoers', '/etc/sudoers.d/**', '/etc/master.passwd',
  '/etc/ssl/private/**', '/etc/kubernetes/**', '/etc/krb5.keytab', '/run/secrets/**', '/var/run/secrets/**', '/proc/kcore',
  '/dev/mem', '/dev/kmem', '/var/lib/docker/**', '/var/db/dslocal/**', '/etc/NetworkManager/system-connections/**',
  '/etc/wireguard/**', '/etc/openvpn/**', '/var/spool/cron/**',
] as const

/** Who can log in, and as whom. Never written. */
export const loginInHome = ['.ssh/authorized_keys', '.ssh/authorized_keys2', '.ssh/rc', '.ssh/environment'] as const

/** The machine does not come up, or lets strangers in, when these are wrong. Never written or deleted. */
export const vitalOnMachine = [
  '/etc/passwd', '/etc/passwd-', '/etc/shadow', '/etc/gshadow', '/etc/group', '/etc/sudoers', '/etc/sudoers.d/**',
  '/etc/fstab', '/etc/crypttab', '/etc/pam.d/**', '/etc/security/**', '/etc/ld.so.preload', '/etc/ld.so.conf', '/etc/ssh/**',
  '/etc/crontab', '/etc/cron.d/**', '/etc/profile', '/etc/bash.bashrc', '/etc/environment', '/etc/inittab', '/etc/systemd/**',
  '/etc/init.d/**', '/etc/rc.local', '/etc/hosts.allow', '/etc/nsswitch.conf', '/etc/default/grub', '/etc/doas.conf',
  '/etc/polkit-1/**', '/boot/**', '/efi/**', '/sys/**', '/proc/sys/**', '/proc/sysrq-trigger', '/bin/**', '/sbin/**',
  '/lib/**', '/lib64/**', '/usr/bin/**', '/usr/sbin/**', '/usr/lib/**', '/usr/lib64/**', '/System/**',
  '/Library/LaunchDaemons/**', '/Library/LaunchAgents/**',
] as const

/** Run when somebody logs in, opens a shell or uses a tool. */
export const startupInHome = [
  '.bashrc', '.bash_profile', '.bash_login', '.bash_logout', '.bash_aliases', '.profile', '.zshrc', '.zprofile', '.zshenv',
  '.zlogin', '.kshrc', '.cshrc', '.tcshrc', '.login', '.inputrc', '.vimrc', '.config/nvim/**', '.vim/**', '.emacs', '.emacs.d/**',
  '.gitconfig', '.config/git/**', '.config/fish/**', '.config/autostart/**', '.config/systemd/**', '.config/environment.d/**',
  '.ssh/config', '.xinitrc', '.xsession', '.xprofile', '.tmux.conf', '.pam_environment', 'Library/LaunchAgents/**',
  '.local/bin/**', 'bin/**', '.selected_editor', '.wgetrc', '.curlrc', '.psqlrc', '.gdbinit', '.pythonrc', '.Rprofile',
] as const

/** The same for a project: run by git, an editor, a build server or a shell, without being asked. */
export const startupInProject: readonly RegExp[] = [
  /(^|\/)\.git\/(hooks|config|info|modules|worktrees)(\/|$)/i,
  /(^|\/)\.githooks(\/|$)/i,
  /(^|\/)\.(husky|circleci|buildkite|devcontainer|woodpecker)(\/|$)/i,
  /(^|\/)\.(github|gitea|forgejo)\/(workflows|actions)(\/|$)/i,
  /(^|\/)\.vscode\/(tasks|launch|settings)\.json$/i,
  /(^|\/)\.idea\/runconfigurations(\/|$)/i,
  /(^|\/)(\.gitlab-ci\.ya?ml|\.travis\.ya?ml|jenkinsfile|azure-pipelines\.ya?ml|bitbucket-pipelines\.ya?ml|\.drone\.ya?ml|appveyor\.ya?ml)$/i,
  /(^|\/)(\.pre-commit-config\.yaml|lefthook\.ya?ml|\.envrc|\.gitmodules|\.gitattributes|\.npmrc|\.pnpmfile\.cjs|\.yarnrc(\.yml)?|sitecustomize\.py|conftest\.py)$/i,
  /(^|\/)\.(bashrc|bash_profile|bash_login|profile|zshrc|zshenv|zprofile|gitconfig|vimrc|exrc|inputrc)$/i,
]

/** Names that hold secrets wherever they are. */
export const secretNames: readonly RegExp[] = [
  /^\.env(\..+)?$/i,
  /^.+\.env$/i,
  /\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|tfstate|tfvars|ovpn|keytab|agekey)$/i,
  /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/i,
  /^(\.netrc|_netrc|\.pgpass|\.npmrc|\.pypirc|\.git-credentials|\.htpasswd|\.vault-token|\.dockercfg|kubeconfig|\.envrc|\.s3cfg)$/i,
  /^(credentials?|secrets?|passwords?|tokens?|api[-_]?keys?)(\.(json|ya?ml|toml|txt|env|ini|csv|xml|properties))?$/i,
  /^(service[-_]?account|client[-_]secrets?|gcp[-_]key|firebase-adminsdk).*\.json$/i,
]

/** Names that look like secrets and are templates or public halves. */
export const harmlessNames: readonly RegExp[] = [
  /^\.env\.(example|sample|template|dist|defaults?|schema)$/i,
  /^(example|sample|template)\.env$/i,
  /\.pub$/i,
]

/** Stand-ins that a pattern is tried on: `cat .e*`, `cat *.pem`. */
export const secretSpecimens = [
  '.env', '.env.local', '.env.production', 'server.pem', 'server.key', 'id_rsa', 'id_ed25519', '.netrc', '.npmrc', '.pgpass', '.git-credentials',
  'credentials', 'credentials.json', 'secrets.yaml', 'secrets.json', 'terraform.tfstate', 'prod.env', '.htpasswd', 'kubeconfig', 'cert.p12',
] as const

/** Machine facts that tell nothing of people or secrets: free to read. */
export const machineFacts: readonly RegExp[] = [
  /^\/proc\/(cpuinfo|meminfo|loadavg|uptime|version|stat|mounts|filesystems|partitions|swaps|diskstats|vmstat|interrupts|modules)$/,
  /^\/proc\/net\/(dev|tcp|tcp6|udp|route)$/,
  /^\/etc\/(os-release|lsb-release|debian_version|redhat-release|alpine-release|hostname|issue|timezone|localtime|shells|services|protocols|hosts|resolv\.conf|motd)$/,
  /^\/usr\/lib\/os-release$/,
  /^\/sys\/class\/(thermal|power_supply|net|hwmon)(\/[\w.:-]+)*$/,
  /^\/sys\/fs\/cgroup(\/[\w.:-]+)*$/,
  /^\/System\/Library\/CoreServices\/SystemVersion\.plist$/,
]

/** Directories that hold the machine itself; deleting one, or everything in it, ends the machine or its data. */
export const systemDirectories = [
  '/', '/bin', '/boot', '/dev', '/efi', '/etc', '/home', '/lib', '/lib32', '/lib64', '/libx32', '/media', '/mnt', '/opt', '/proc',
  '/root', '/run', '/sbin', '/snap', '/srv', '/sys', '/tmp', '/usr', '/var', '/Users', '/System', '/Library', '/Applications',
  '/Volumes', '/private', '/cores', '/Network', '/nix', '/data',
] as const

/** Below these, files belong to the machine (`/var/tmp` aside). */
export const systemTrees = [
  '/bin', '/boot', '/dev', '/efi', '/etc', '/lib', '/lib32', '/lib64', '/libx32', '/proc', '/run', '/sbin', '/sys', '/usr', '/var',
  '/System', '/Library', '/Applications', '/private', '/nix', '/snap', '/root',
] as const

/** Devices that swallow or give nothing that matters. */
export const harmlessDevices = /^\/dev\/(null|zero|full|random|urandom|stdin|stdout|stderr|tty|fd\/\d+)$/
