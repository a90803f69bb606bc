import type { Fact } from '../facts.ts'

/** Variables that make programs run, load or fetch something else than they say. */
const changesWhatRuns =
  /^(PATH|LD_\w+|DYLD_\w+|BASH_\w+|ENV|BASHOPTS|GLOBIGNORE|GLOBSORT|FIGNORE|FUNCNEST|SHELLOPTS|IFS|PS[0-4]|PROMPT_COMMAND|CDPATH|GIT_\w+|PAGER|MANPAGER|\w*_PAGER|EDITOR|VISUAL|\w*_EDITOR|BROWSER|SHELL|HOME|TMPDIR|NODE_OPTIONS|NODE_PATH|NODE_EXTRA_CA_CERTS|NPM_CONFIG_\w+|npm_config_\w+|PYTHON\w+|PERL\w+|RUBY\w+|GEM_\w+|BUNDLE_\w+|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|MAVEN_OPTS|GRADLE_OPTS|CLASSPATH|LESSOPEN|LESSCLOSE|LESS|LESSKEY\w*|MORE|TAR_OPTIONS|GZIP|XZ_OPT|RIPGREP_CONFIG_PATH|GREP_OPTIONS|RSYNC_\w+|CURL_HOME|WGETRC|SSH_\w+|SUDO_\w+|DOCKER_\w+|KUBECONFIG|AWS_\w+|MAKEFLAGS|MFLAGS|GNUMAKEFLAGS|MAKEFILES|CC|CXX|CPP|LD|AR|CFLAGS|CXXFLAGS|LDFLAGS|RUSTC\w*|RUSTFLAGS|CARGO_\w+|GOFLAGS|GOPROXY|GONOSUM\w*|GOPATH|GOROOT|XDG_\w+|ZDOTDIR|FPATH|fpath|INPUTRC|TERMINFO\w*|LOCPATH|NLSPATH|GCONV_PATH|HOSTALIASES|RES_OPTIONS|MALLOC_\w+|GLIBC_TUNABLES|http_proxy|https_proxy|all_proxy|HTTP_PROXY|HTTPS_PROXY|ALL_PROXY|\w*_ASKPASS|FZF_DEFAULT_COMMAND|BASH_FUNC_.*|EXECIGNORE|HISTFILE|POSIXLY_CORRECT|MANPATH|INFOPATH|BAT_\w+|VIMINIT|EXINIT|EMACSLOADPATH|PKG_CONFIG\w*|PIP_\w+|UV_\w+|VIRTUAL_ENV)$/

/** Variables that only change how output looks, or tell a program its surroundings. */
const harmless =
  /^(LC_\w+|LANG|LANGUAGE|TZ|CI|NODE_ENV|NO_COLOR|FORCE_COLOR|CLICOLOR\w*|COLUMNS|LINES|TERM|DEBUG|VERBOSE|RUST_BACKTRACE|RUST_LOG|LOG_LEVEL|COLORTERM)$/

/** Of these, part of a file's name. */
const namesFile = /^(LC_\w+|LANG|LANGUAGE|TZ|TERM|COLORTERM)$/
/** Bash works out the value as a sum, and runs what stands in brackets there. */
const counts = /^(RANDOM|SRANDOM|SECONDS|LINENO|OPTIND|HISTCMD|EPOCHSECONDS|EPOCHREALTIME|BASHPID)$/

const isPlainValue = (value: string): boolean =>
  /^[\w@.:+,=-]*$/.test(value) || /^[A-Z][A-Za-z_]+(\/[A-Z][\w+-]+){1,2}$/.test(value)

/**
 * What setting a variable does. `exported`: it stands before a command or in `export`, so that another program
 * sees it; otherwise it is the shell's own, unless its name already reaches programs.
 */
export function assignmentFacts(name: string, values: readonly string[], exported: boolean): Fact[] {
  if (changesWhatRuns.test(name)) return [{ effect: 'shell.env-override' }]
  // Arithmetic in bash evaluates the text of variables, down to $(...) in a subscript.
  if (values.some((value) => /\[[^\]]*(\$\(|`)/.test(value))) return [{ effect: 'shell.not-understood' }]
  if (counts.test(name) && !values.every((value) => /^\d*$/.test(value)))
    return [{ effect: 'shell.dynamic-code' }]
  const plain = harmless.test(name) && (!namesFile.test(name) || values.every(isPlainValue))
  return [{ effect: (exported || namesFile.test(name)) && !plain ? 'shell.env-set' : 'shell.builtin' }]
}

/** Only what is wrong with setting a variable by other means: loops, `${x:=y}`, arithmetic, `read`. */
export function overrideFacts(name: string): Fact[] {
  return assignmentFacts(name, [], false).filter((fact) => fact.effect !== 'shell.builtin')
}

/** The same for words of the form NAME=value, as `env` takes them. */
export function assignmentWordFacts(word: string): Fact[] {
  const at = word.indexOf('=')
  return assignmentFacts(word.slice(0, at), [word.slice(at + 1)], true)
}
