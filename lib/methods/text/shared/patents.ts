/** For the card of each method of layer-wise relevance propagation: not every distributor may ship them. */
export const PATENTS =
  'LRP and its descendants are covered by patents in some countries: whoever distributes this method there should ask first.'
