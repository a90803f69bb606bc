import { embedOnce } from '../../../core/memory/embedOnce.ts'
import { openMemory } from '../../../core/memory/openMemory.ts'
import { openDatabase } from '../../../core/storage/openDatabase.ts'
import { testLog } from '../../support/control.ts'
import { newDatabase } from '../../support/database.ts'
import { hashEmbedder } from '../../support/hashEmbedder.ts'
import { openVectorDatabase } from '../../support/pglite.ts'
import { searchContract } from '../../support/searchContract.ts'

searchContract('text', async () => {
  const database = await newDatabase()
  const db = openDatabase({ url: database.url, poolSize: 2, log: testLog })
  const { searches } = await openMemory({ db, log: testLog, max: 1000 })
  const [search] = searches
  if (!search || searches.length > 1) throw new Error('the embedded PostgreSQL has one way of search')
  const close = async () => {
    await db.close()
    await database.drop()
  }
  return { sql: db, search, settle: async () => {}, close }
})

searchContract('vectors', async () => {
  const db = await openVectorDatabase()
  const memory = await openMemory({ db, log: testLog, max: 1000, embedder: hashEmbedder })
  const search = memory.searches.find(({ way }) => way === 'vectors')
  if (!search) throw new Error('there is no pgvector here')
  const settle = async () => void (await embedOnce({ db, memory }))
  return { sql: db, search, settle, close: () => db.close() }
})
