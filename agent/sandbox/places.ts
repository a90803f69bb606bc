import { startupInHome } from '../../core/protocol/startupFiles.ts'

/**
 * What a confined command gets to see of a machine, and what it never does. A home directory is hidden as a whole; the
 * tables say which parts of it are shown. Names below the home are written without it.
 */

/** Directories of the machine that are shown, read only, where they are there. */
export const machineDirs = [
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/usr',
  '/etc',
  '/opt',
  '/nix',
  '/gnu/store',
  '/snap',
  '/home/linuxbrew/.linuxbrew',
  '/run/current-system',
  '/sys/devices/system',
  '/var/cache/fontconfig',
  '/var/lib/ca-certificates',
  '/var/lib/dpkg',
  '/var/lib/pacman',
  '/var/lib/rpm',
] as const

/** Tools that people keep in their home: shown, read only. */
export const toolsInHome = [
  'bin',
  'go/bin',
  'sdk',
  'miniconda3',
  'miniforge3',
  'anaconda3',
  'Android/Sdk',
  'flutter',
  '.asdf',
  '.bun/bin',
  '.cabal/bin',
  '.cargo/bin',
  '.cargo/env',
  '.deno/bin',
  '.dotnet',
  '.elan',
  '.fnm',
  '.ghcup',
  '.jenv',
  '.juliaup',
  '.linuxbrew',
  '.local/bin',
  '.local/lib',
  '.local/pipx',
  '.local/share/fnm',
  '.local/share/mise',
  '.local/share/pipx',
  '.local/share/rtx',
  '.local/share/uv',
  '.nix-profile',
  '.nodenv',
  '.nvm',
  '.opam',
  '.pixi',
  '.poetry',
  '.pyenv',
  '.rbenv',
  '.rustup',
  '.rvm',
  '.sdkman',
  '.tfenv',
  '.volta',
] as const

/** Browsers that test tools keep among the caches, and the variable that says where: shown under another name. */
export const browsersInHome = [
  ['.cache/ms-playwright', 'PLAYWRIGHT_BROWSERS_PATH'],
  ['.cache/puppeteer', 'PUPPETEER_CACHE_DIR'],
] as const

/**
 * What tools download and build again and again, beside `.cache`. A confined command gets one of its own of each, kept
 * for the commands of one root: never the person's, where a planted package would be run unconfined later.
 */
export const cachesInHome = [
  '.npm',
  '.yarn',
  '.bun/install',
  '.local/share/pnpm',
  '.cargo/registry',
  '.cargo/git',
  '.m2/repository',
  '.gradle/caches',
  '.gradle/wrapper',
  '.ivy2',
  '.sbt',
  '.nuget',
  '.pub-cache',
  'go/pkg',
] as const

/** Settings of tools (mirrors, certificates) that are shown where they hold nothing that looks like a secret. */
export const settingsInHome = [
  '.npmrc',
  '.yarnrc',
  '.yarnrc.yml',
  '.condarc',
  '.cargo/config',
  '.cargo/config.toml',
  '.config/go/env',
  '.config/pip/pip.conf',
  '.config/uv/uv.toml',
  '.m2/settings.xml',
  '.gradle/gradle.properties',
  '.pip/pip.conf',
] as const

/** What a setting that gives something away has in it. */
export const looksSecret =
  /auth|token|passw|secret|credential|private|\bkey\s*[=:]|:\/\/[^\s/@]*:[^\s/@]*@|_key\b/i

/**
 * Where the home itself can be worked in, because a root holds it: what is hidden all the same. Keys, sessions,
 * histories, the sockets of a desktop.
 */
export const hiddenInHome = [
  '.ssh',
  '.aws',
  '.azure',
  '.gnupg',
  '.kube',
  '.docker',
  '.mozilla',
  '.thunderbird',
  '.password-store',
  '.terraform.d',
  '.gem',
  '.claude',
  '.codex',
  '.dbus',
  '.pki',
  '.minikube',
  '.config/gh',
  '.config/hub',
  '.config/op',
  '.config/gcloud',
  '.config/rclone',
  '.config/google-chrome',
  '.config/chromium',
  '.config/BraveSoftware',
  '.config/microsoft-edge',
  '.config/doctl',
  '.config/containers',
  '.config/Signal',
  '.config/Slack',
  '.local/share/keyrings',
  '.local/share/kwalletd',
  '.local/share/containers',
  'snap/firefox',
  'snap/chromium',
  '.netrc',
  '_netrc',
  '.pgpass',
  '.my.cnf',
  '.git-credentials',
  '.config/git/credentials',
  '.pypirc',
  '.vault-token',
  '.s3cfg',
  '.boto',
  '.Xauthority',
  '.ICEauthority',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.bash_history',
  '.zsh_history',
  '.python_history',
  '.node_repl_history',
  '.psql_history',
  '.mysql_history',
  '.local/share/fish/fish_history',
] as const

/** And what is read only there: started unasked when the person logs in, opens a shell, or uses a tool. */
export const startedInHome = [...startupInHome, ...toolsInHome] as const
