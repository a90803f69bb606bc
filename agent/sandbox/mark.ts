/** The environment variable that marks every process of an attempt, for where there are no namespaces. */
export const MARK = 'SKYNET_EXECUTION_ID'
