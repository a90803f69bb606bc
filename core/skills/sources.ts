/** Where skills come from. `hosts`: from which they may be fetched. */
export type SkillSources = { dir: string | null; urls: readonly string[]; hosts: readonly string[] }
