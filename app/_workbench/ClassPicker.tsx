'use client'

import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { count } from '../_run/format.ts'
import { searchLabels } from './searchLabels.ts'
import styles from './ClassPicker.module.css'

interface ClassPickerProps {
  readonly labels: readonly string[]
  /** Null: what `none` says. */
  readonly value: string | null
  readonly none?: string
  readonly ids: { readonly id: string; readonly 'aria-describedby': string | undefined }
  readonly onChoose: (label: string | null) => void
}

const PREDICTED = 'The predicted class'
/** Up to here a list is read at a glance. */
const FEW = 20
/** Options in the list at once; more are found by typing. */
const SHOWN = 50

/** Chooses the class to explain: from a plain list where there are few, by typing a part of its name where there are many. */
export function ClassPicker(props: ClassPickerProps) {
  return props.labels.length > FEW ? <SearchedClasses {...props} /> : <ListedClasses {...props} />
}

function ListedClasses({ labels, value, ids, none = PREDICTED, onChoose }: ClassPickerProps) {
  return (
    <select
      {...ids}
      value={value ?? ''}
      onChange={(event) => {
        onChoose(event.target.value === '' ? null : event.target.value)
      }}
    >
      <option value="">{none}</option>
      {labels.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  )
}

/** ARIA's editable combobox with a list (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/): nothing is chosen by typing alone. */
function SearchedClasses({ labels, value, ids, none = PREDICTED, onChoose }: ClassPickerProps) {
  const [open, setOpen] = useState(false)
  /** Null until something is typed. */
  const [typed, setTyped] = useState<string | null>(null)
  const [active, setActive] = useState(0)
  const list = useRef<HTMLUListElement>(null)

  const query = typed ?? ''
  const found = open ? searchLabels(labels, query) : []
  const options = [...(query.trim() === '' ? [null] : []), ...found.slice(0, SHOWN)]
  const more = found.length - Math.min(found.length, SHOWN)
  const listId = `${ids.id}-list`
  const optionId = (index: number): string => `${ids.id}-option-${String(index)}`

  useEffect(() => {
    if (open) list.current?.children[active]?.scrollIntoView({ block: 'nearest' })
  }, [open, active])

  function show(text: string | null) {
    setOpen(true)
    setTyped(text)
    setActive(0)
  }
  function close() {
    setOpen(false)
    setTyped(null)
  }
  function choose(option: string | null | undefined) {
    if (option === undefined) return
    close()
    onChoose(option)
  }
  function onKeyDown(event: KeyboardEvent) {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 }
    const step = steps[event.key]
    if (step !== undefined) {
      if (!open) show(null)
      else if (options.length > 0) setActive((active + step + options.length) % options.length)
    } else if (event.key === 'Enter') {
      if (open) choose(options[active])
      else show(null)
    } else if (event.key === 'Escape' && open) close()
    else return
    event.preventDefault()
  }

  return (
    <div className={styles['picker']}>
      <input
        {...ids}
        type="text"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={open ? listId : undefined}
        aria-activedescendant={open && options.length > 0 ? optionId(active) : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder={none}
        value={typed ?? value ?? ''}
        onFocus={(event) => {
          event.target.select()
        }}
        onClick={() => {
          if (!open) show(null)
        }}
        onChange={(event) => {
          show(event.target.value)
        }}
        onKeyDown={onKeyDown}
        onBlur={close}
      />
      <p role="status" className="visually-hidden">
        {open ? `${count(found.length)} ${found.length === 1 ? 'class' : 'classes'}` : ''}
      </p>
      {open ? (
        <div className={styles['popup']}>
          <ul ref={list} id={listId} role="listbox" aria-label="Classes">
            {options.map((option, index) => (
              <li
                key={option ?? ''}
                id={optionId(index)}
                role="option"
                aria-selected={index === active}
                data-chosen={option === value}
                // The input keeps the focus.
                onPointerDown={(event) => {
                  event.preventDefault()
                }}
                onClick={() => {
                  choose(option)
                }}
              >
                {option ?? none}
              </li>
            ))}
          </ul>
          {options.length === 0 ? <p>No class is called so.</p> : null}
          {more > 0 ? <p>{count(more)} more: type a part of the name.</p> : null}
        </div>
      ) : null}
    </div>
  )
}
