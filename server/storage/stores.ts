/** Where content is found by what it is, not by where it lies: on this machine now, wherever a worker is later. */
import type { CatalogueEntry } from '../../lib/models/catalogue.ts'

export interface AssetStore {
  /** The original bytes of an asset. @throws AppError NOT_FOUND */
  read(sha256: string): Promise<Uint8Array>
}

export interface ModelStore {
  /** A model, its files on this machine. @param ref `<id>@<sha256>` @throws AppError UNKNOWN_MODEL */
  find(ref: string): Promise<CatalogueEntry>
}
