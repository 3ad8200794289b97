import type { TextAttribution } from '../_graphql/types.ts'
import { AddsUp } from './AddsUp.tsx'
import { signedValue, significant } from './format.ts'
import { scoreReach } from './segments.ts'
import styles from './TextLegend.module.css'

interface TextLegendProps {
  readonly attribution: TextAttribution
  readonly unit: 'words' | 'tokens'
  readonly signed: boolean
  readonly label: string | undefined
}

/** What the colours over a text mean. */
export function TextLegend({ attribution, unit, signed, label }: TextLegendProps) {
  const reach = scoreReach(attribution[unit])
  const about = label === undefined ? 'the class' : `“${label}”`
  return (
    <div className={styles['legend']}>
      <span>{signed ? `against ${about} ${significant(-reach)}` : 'no influence 0'}</span>
      <span className={styles['strip']} data-signed={signed} aria-hidden="true" />
      <span>{signed ? `for ${about} ${signedValue(reach)}` : `most ${significant(reach)}`}</span>
    </div>
  )
}

/** Special tokens, which belong to no characters, and whether the scores add up. */
export function TextNotes({
  attribution,
  signed,
  explained,
}: {
  readonly attribution: TextAttribution
  readonly signed: boolean
  /** In words, what the scores are shares of. */
  readonly explained: string
}) {
  const special = attribution.tokens.filter((token) => token.special)
  const { completeness } = attribution
  return (
    <dl className={styles['notes']}>
      {special.length > 0 ? (
        <div>
          <dt>Special tokens</dt>
          <dd>
            {special.map((token, position) => (
              <span key={position} className={styles['special']}>
                <code>{token.text}</code> {signed ? signedValue(token.score) : significant(token.score)}
              </span>
            ))}
          </dd>
        </div>
      ) : null}
      {completeness ? <AddsUp completeness={completeness} explained={explained} /> : null}
    </dl>
  )
}
