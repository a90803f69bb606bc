import { randomBytes } from 'node:crypto'
import type { Document, PhotoSize } from 'grammy/types'
import { badRequest } from '../apiError.ts'
import { requireWritable } from '../chats.ts'
import { integer, type Params, text, type Upload } from '../readParams.ts'
import type { StoredFile } from '../types.ts'
import type { World } from '../world.ts'
import { post, readCaption } from './messages.ts'
import type { Method } from './method.ts'

const downloadLimit = 20 * 1024 * 1024

export const sendDocument: Method = async (world, params) => {
  const chat = requireWritable(world, integer(params, 'chat_id'))
  const { text: caption, entities } = readCaption(params)
  const document = toDocument(await takeFile(world, params, 'document'))
  return post(world, params, chat, { document, ...(caption ? { caption, caption_entities: entities } : {}) })
}

export const sendPhoto: Method = async (world, params) => {
  const chat = requireWritable(world, integer(params, 'chat_id'))
  const { text: caption, entities } = readCaption(params)
  const file = await takeFile(world, params, 'photo')
  const photo = [toPhoto(file, sizeOf(await world.shelf.get(file.file_id)))]
  return post(world, params, chat, { photo, ...(caption ? { caption, caption_entities: entities } : {}) })
}

type Size = { width: number; height: number }
const PNG = Buffer.from('89504e470d0a1a0a', 'hex')

/** Width and height of a PNG: the image that the playground takes. */
function sizeOf(bytes: Buffer | null): Size {
  if (!bytes || bytes.length < 33 || !bytes.subarray(0, 8).equals(PNG))
    throw badRequest('IMAGE_PROCESS_FAILED')
  const size = { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
  if (size.width + size.height > 10_000 || size.width === 0 || size.height === 0)
    throw badRequest('PHOTO_INVALID_DIMENSIONS')
  return size
}

const toPhoto = ({ file_id, size }: StoredFile, shape: Size): PhotoSize => ({
  ...{ file_id, file_unique_id: file_id.slice(-12), ...shape, file_size: size },
})

async function takeFile(world: World, params: Params, field: 'document' | 'photo'): Promise<StoredFile> {
  const named = text(params, field)
  const part = named?.startsWith('attach://') ? named.slice('attach://'.length) : field
  const upload = params.files.get(part)
  if (upload) return keepFile(world, upload)
  if (!named) throw badRequest(`there is no ${field} in the request`)
  const known = world.store.state.files.get(named)
  if (known) return known
  throw badRequest(
    'wrong file identifier/HTTP URL specified: Wrong remote file identifier specified: Wrong padding in the string',
  )
}

async function keepFile(world: World, upload: Upload): Promise<StoredFile> {
  if (upload.bytes.length === 0) throw badRequest('file must be non-empty')
  const file_id = `local_${randomBytes(12).toString('base64url')}`
  const file = {
    file_id,
    name: upload.name,
    mime: upload.mime || 'application/octet-stream',
    size: upload.bytes.length,
  }
  await world.shelf.put(file_id, upload.bytes)
  world.store.record({ kind: 'file', file })
  return file
}

function toDocument(file: StoredFile): Document {
  const file_unique_id = file.file_id.slice(-12)
  return {
    file_id: file.file_id,
    file_unique_id,
    file_name: file.name,
    mime_type: file.mime,
    file_size: file.size,
  }
}

export const getFile: Method = (world, params) => {
  const id = text(params, 'file_id')
  const file = id === undefined ? undefined : world.store.state.files.get(id)
  if (!file) throw badRequest('invalid file_id')
  if (file.size > downloadLimit) throw badRequest('file is too big')
  return {
    ...toDocument(file),
    file_name: undefined,
    mime_type: undefined,
    file_path: `documents/${file.file_id}`,
  }
}
