import { formatNames, protocols } from '../../../src/prompt/format/format.js';
import type { Machine } from '../machine.js';
import { Disclosure, English, Field } from '../parts/parts.js';
import { words } from '../words/words.js';
import type { Draft } from './draft.js';
import type { Kind } from './question.js';

const kinds: readonly Kind[] = ['choice', 'boolean', 'ranked', 'free'];

/** How it is asked: everything has a default, and the reason for it stands beside it. */
export function How({ draft, machine }: { readonly draft: Draft; readonly machine: Machine }) {
  const { ask } = words.value;
  const { samples, temperature, seed, format, protocol, cannotTell, model } = draft.settings.value;
  const models = usable(machine);
  const asked = machine.model(model);
  const others = models.filter(({ name }) => name !== asked?.name);
  return (
    <Disclosure title={ask.how} class="disclosure how">
      <div class="fields">
        {models.length > 1 && (
          <Field id="how-model" label={ask.modelLabel}>
            <select
              id="how-model"
              value={asked?.name}
              onChange={event => draft.set({ model: event.currentTarget.value })}
            >
              {models.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
        )}
        <Field id="how-kind" label={ask.kindLabel}>
          <select
            id="how-kind"
            value={draft.kind.value ?? ''}
            onChange={event => draft.choose((event.currentTarget.value || null) as Kind | null)}
          >
            <option value="">{ask.kindAuto}</option>
            {kinds.map(kind => (
              <option key={kind} value={kind}>
                {ask.kinds[kind]}
              </option>
            ))}
          </select>
        </Field>
        <NumberField
          id="how-samples"
          label={ask.samplesLabel}
          hint={ask.chainsExplained}
          value={samples ?? draft.samples.value}
          min={1}
          max={256}
          step={1}
          change={n => draft.set({ samples: n })}
        />
        <NumberField
          id="how-temperature"
          label={ask.temperatureLabel}
          hint={ask.temperatureHint}
          value={temperature ?? (draft.samples.value > 1 ? 0.8 : 0)}
          min={0}
          max={5}
          step={0.1}
          change={n => draft.set({ temperature: n })}
        />
        <NumberField
          id="how-seed"
          label={ask.seedLabel}
          hint={ask.seedHint}
          value={seed}
          min={0}
          max={Number.MAX_SAFE_INTEGER}
          step={1}
          change={n => draft.set({ seed: n ?? 0 })}
        />
        <Field id="how-protocol" label={ask.protocolLabel} hint={ask.protocols[protocol]}>
          <select
            id="how-protocol"
            value={protocol}
            onChange={event => draft.set({ protocol: event.currentTarget.value as (typeof protocols)[number] })}
          >
            {protocols.map(name => (
              <option key={name} value={name}>
                {short(ask.protocols[name])}
              </option>
            ))}
          </select>
        </Field>
        <Field id="how-format" label={ask.formatLabel}>
          <select
            id="how-format"
            value={format ?? ''}
            onChange={event => draft.set({ format: event.currentTarget.value || null })}
          >
            <option value="">{ask.formatAuto}</option>
            {formatNames.map(name => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          {format === null && asked?.format && (
            <p class="hint">
              <b>{asked.format.format}</b>. {ask.formatBy[asked.format.by]} <English>({asked.format.source})</English>
            </p>
          )}
        </Field>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={cannotTell}
          onChange={event => draft.set({ cannotTell: event.currentTarget.checked })}
        />
        {ask.cannotTell}
      </label>
      {others.length === 0 && <p class="hint">{ask.opinionsNone}</p>}
    </Disclosure>
  );
}

/** Other models that are here, to be asked as well. */
export function SecondOpinions({ draft, machine }: { readonly draft: Draft; readonly machine: Machine }) {
  const { ask } = words.value;
  const { model, opinions } = draft.settings.value;
  const asked = machine.model(model);
  const others = usable(machine).filter(({ name }) => name !== asked?.name);
  if (others.length === 0) return null;
  return (
    <fieldset class="second-opinions">
      <legend>{ask.opinionsLabel}</legend>
      <p class="hint">{ask.opinionsHint}</p>
      {others.map(({ name }) => (
        <label key={name} class="check">
          <input
            type="checkbox"
            checked={opinions.includes(name)}
            onChange={event =>
              draft.set({
                opinions: event.currentTarget.checked ? [...opinions, name] : opinions.filter(other => other !== name),
              })
            }
          />
          <bdi>{name}</bdi>
        </label>
      ))}
    </fieldset>
  );
}

function usable(machine: Machine) {
  return machine.models.value.filter(({ problems }) => problems.length === 0);
}

interface NumberFieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly value: number | null;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly change: (value: number | null) => void;
}

/** A number that may be left empty, which takes the default. What is out of range is not taken. */
export function NumberField({ id, label, hint, value, min, max, step, change }: NumberFieldProps) {
  return (
    <Field id={id} label={label} hint={hint}>
      <input
        id={id}
        type="number"
        inputMode={step < 1 ? 'decimal' : 'numeric'}
        dir="ltr"
        value={value ?? ''}
        min={min}
        max={max}
        step={step}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={event => {
          const { value: typed, valueAsNumber: n } = event.currentTarget;
          if (typed === '') change(null);
          else if (event.currentTarget.checkValidity() && Number.isFinite(n)) change(n);
          else event.currentTarget.reportValidity();
        }}
      />
    </Field>
  );
}

/** What stands before the colon: the rest is said below. */
function short(text: string): string {
  return text.split(/\s?: /)[0]!;
}
