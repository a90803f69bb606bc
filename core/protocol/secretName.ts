import { z } from 'zod'

/** Variables that change which program runs, or what runs beside it: never given as a secret. */
const steering =
  /^(PATH|HOME|SHELL|ENV|IFS|PS4|TMPDIR|USER|LOGNAME|EDITOR|VISUAL|PAGER|PROMPT_COMMAND|LD_.*|DYLD_.*|BASH_.*|GIT_(?!TOKEN|PASSWORD).*|NODE_OPTIONS|NODE_PATH|NODE_EXTRA_CA_CERTS|PYTHON.*|PERL.*|RUBY.*|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|MAVEN_OPTS|GRADLE_OPTS|RUSTC.*|CARGO_(HOME|BUILD_.*|TARGET_.*)|MAKEFLAGS|GCONV_PATH|LOCPATH|NLSPATH|SSL_CERT_.*|HTTPS?_PROXY|ALL_PROXY|NO_PROXY|SKYNET_.*)$/

/** The name of a secret in an agent's store, and of the variable that a task finds it in. */
export const SecretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'a name of capital letters, digits and _ such as DEPLOY_TOKEN')
  .refine((name) => !steering.test(name), 'a name that does not steer programs (PATH, LD_*, GIT_*, ...)')

/** The secrets that a task is given, by name. */
export const SecretNames = z.array(SecretName).min(1).max(16)
