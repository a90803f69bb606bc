import fc from 'fast-check'

/**
 * Property tests try the same cases in every run, so that a run says something about the change it tests. PROPERTY_SEED
 * chooses other cases: a number, or `random`.
 */
const given = process.env.PROPERTY_SEED
if (given !== 'random') fc.configureGlobal({ seed: Number(given ?? 20_261_121) })
