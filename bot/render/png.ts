import { crc32, deflateSync } from 'node:zlib'

/*
 * PNG for charts. Node has the two parts of the format that are work, deflate and CRC-32; what is left is forty lines,
 * fewer than any library that draws would bring in dependencies (docs/adr/0018).
 */

/** A red-green-blue colour, as `#1f6feb`. */
export type Colour = `#${string}`

/** An image of at most 256 colours: one byte for each point, an index into the palette. */
export class Picture {
  readonly width: number
  readonly height: number
  readonly #points: Buffer
  readonly #palette: Colour[]

  /** Filled with the first colour of the palette. */
  constructor(width: number, height: number, palette: Colour[]) {
    this.width = width
    this.height = height
    this.#points = Buffer.alloc(width * height)
    this.#palette = palette
  }

  /** Fills a rectangle; what lies outside of the image is left out. */
  fill(x: number, y: number, width: number, height: number, colour: Colour): void {
    const index = this.#palette.indexOf(colour)
    if (index < 0) throw new Error(`${colour} is not in the palette`)
    const from = Math.max(0, Math.round(x))
    const to = Math.min(this.width, Math.round(x + width))
    const bottom = Math.min(this.height, Math.round(y + height))
    for (let row = Math.max(0, Math.round(y)); row < bottom; row++)
      if (to > from) this.#points.fill(index, row * this.width + from, row * this.width + to)
  }

  /** The image as a PNG file. */
  encode(): Buffer {
    const head = Buffer.alloc(13)
    head.writeUInt32BE(this.width, 0)
    head.writeUInt32BE(this.height, 4)
    // Eight bits a point, of a palette; no filter, not interlaced.
    head.set([8, 3, 0, 0, 0], 8)
    const colours = Buffer.from(this.#palette.map((colour) => colour.slice(1)).join(''), 'hex')
    return Buffer.concat([
      Buffer.from('89504e470d0a1a0a', 'hex'),
      chunk('IHDR', head),
      chunk('PLTE', colours),
      chunk('IDAT', deflateSync(this.#rows(), { level: 9 })),
      chunk('IEND', Buffer.alloc(0)),
    ])
  }

  /** Each row begins with its filter: none. */
  #rows(): Buffer {
    const rows = Buffer.alloc((this.width + 1) * this.height)
    for (let y = 0; y < this.height; y++)
      this.#points.copy(rows, y * (this.width + 1) + 1, y * this.width, (y + 1) * this.width)
    return rows
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}
