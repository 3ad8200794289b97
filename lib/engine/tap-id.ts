/** Names a tensor of the model: stable across loads of the same file. */
export type TapId = string
