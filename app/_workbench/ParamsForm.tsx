'use client'

import { Field } from '../_ui/Field.tsx'
import type { Setup } from '../_graphql/types.ts'
import { NumberInput } from './NumberInput.tsx'
import { readFields, type ParamField } from './paramFields.ts'
import { TapPicker, type MethodPlace } from './TapPicker.tsx'
import styles from './SettingsPanel.module.css'

interface ParamsFormProps {
  readonly paramsSchema: unknown
  readonly params: Readonly<Record<string, unknown>>
  readonly setup: Setup
  readonly place: MethodPlace
  readonly onChange: (name: string, value: unknown) => void
}

interface ControlProps {
  readonly field: ParamField
  readonly value: unknown
  readonly setup: Setup
  readonly place: MethodPlace
  readonly ids: { readonly id: string; readonly 'aria-describedby': string | undefined }
  readonly onChange: (value: unknown) => void
}

const OWN_NUMBER = ' number'

function ParamControl({ field, value, setup, place, ids, onChange }: ControlProps) {
  const { control } = field
  if (control.kind === 'tap') {
    return <TapPicker setup={setup} place={place} value={value} ids={ids} onChange={onChange} />
  }
  if (control.kind === 'number') return <NumberInput {...ids} range={control} value={value} onCommit={onChange} />
  if (control.kind === 'choice' || control.kind === 'choice-or-number') {
    const position = control.options.findIndex((option) => option === value)
    const isNumber = control.kind === 'choice-or-number' && position === -1
    return (
      <div className={styles['pair']}>
        <select
          {...ids}
          value={isNumber ? OWN_NUMBER : String(position)}
          onChange={(event) => {
            const own = event.target.value === OWN_NUMBER
            onChange(
              own && control.kind === 'choice-or-number'
                ? (control.min ?? 1)
                : control.options[Number(event.target.value)],
            )
          }}
        >
          {control.options.map((option, index) => (
            <option key={String(option)} value={String(index)}>
              {String(option)}
            </option>
          ))}
          {control.kind === 'choice-or-number' ? <option value={OWN_NUMBER}>a number</option> : null}
        </select>
        {isNumber ? <NumberInput aria-label={field.title} range={control} value={value} onCommit={onChange} /> : null}
      </div>
    )
  }
  return (
    <input
      {...ids}
      type="text"
      defaultValue={typeof value === 'string' ? value : ''}
      onBlur={(event) => {
        const typed = event.target.value
        if (typed !== value) onChange(typed === '' ? undefined : typed)
      }}
    />
  )
}

function ParamRow({
  field,
  params,
  setup,
  place,
  onChange,
}: Omit<ParamsFormProps, 'paramsSchema'> & { readonly field: ParamField }) {
  const value = params[field.name] ?? field.fallback
  if (field.control.kind === 'boolean') {
    return (
      <label className={styles['check']}>
        <input
          type="checkbox"
          checked={value === true}
          onChange={(event) => {
            onChange(field.name, event.target.checked)
          }}
        />
        <span>
          {field.title}
          <small>{field.description}</small>
        </span>
      </label>
    )
  }
  return (
    <Field label={field.title} hint={field.description}>
      {(ids) => (
        <ParamControl
          field={field}
          value={value}
          setup={setup}
          place={place}
          ids={ids}
          onChange={(next) => {
            onChange(field.name, next)
          }}
        />
      )}
    </Field>
  )
}

/** The form for a method's parameters, made from its JSON Schema: the layer in the open, the rest folded away. */
export function ParamsForm({ paramsSchema, ...rest }: ParamsFormProps) {
  const fields = readFields(paramsSchema)
  const layers = fields.filter(({ control }) => control.kind === 'tap')
  const others = fields.filter(({ control }) => control.kind !== 'tap')
  const changed = others.filter(({ name, fallback }) => (rest.params[name] ?? fallback) !== fallback).length
  return (
    <>
      {layers.map((field) => (
        <ParamRow key={field.name} field={field} {...rest} />
      ))}
      {others.length > 0 ? (
        <details className={styles['parameters']}>
          <summary>
            Parameters <span>{changed === 0 ? 'all at their defaults' : `${String(changed)} changed`}</span>
          </summary>
          <div>
            {others.map((field) => (
              <ParamRow key={field.name} field={field} {...rest} />
            ))}
          </div>
        </details>
      ) : null}
    </>
  )
}
