/** Where models are fetched from and kept. Read from the environment by whoever starts Limelight; lib reads none. */
export interface HubSettings {
  /** Address of the hub or of a mirror, without a slash at its end: `https://huggingface.co`. */
  readonly endpoint: string
  /** Sent to the endpoint alone. */
  readonly token: string | null
  /** The cache that Python's huggingface_hub shares, absolute. */
  readonly cacheFolder: string
  /** True: only what is in the cache; nothing is asked of the network. */
  readonly offline: boolean
  /** Bytes of one model's files, all together. */
  readonly maxBytes: number
}

/** A model's repository, and which of its states is meant. */
export interface HubModel {
  /** `org/name`, or `name` for the few that belong to nobody. */
  readonly name: string
  /** A branch, a tag, or a commit of 40 hexadecimal digits. */
  readonly revision: string
}
