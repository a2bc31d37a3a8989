import { describeEnd } from '../../check/died.js';
import type { DeathIncident, Incident, StandInIncident } from '../storage/incidents.js';
import type { EvaluationReport } from './types.js';

/** What befell the engine, in a sentence; undefined if nothing did. */
export function incidentsInBrief({
  incidents,
  runs,
}: Pick<EvaluationReport, 'incidents' | 'runs'>): string | undefined {
  const deaths = incidents.filter(({ kind }) => kind === 'death').reduce((sum, { times }) => sum + times, 0);
  const devices = [...new Set(incidents.flatMap(each => (each.kind === 'stand-in' ? each.devices : [])))];
  const stoodIn = runs.filter(({ standIn }) => standIn.count > 0);
  const died =
    deaths > 0 &&
    `The engine's process died ${deaths === 1 ? 'once' : `${deaths} times`}; the questions it was answering were asked again.`;
  const instead =
    stoodIn.length > 0 &&
    `The CPU alone${devices.length > 0 ? `, instead of ${devices.join(', ')},` : ''} computed ${stoodIn
      .map(({ name, standIn: { count, of } }) => `${count} of ${of} questions of ${name}`)
      .join(' and ')}: their figures are those of another device.`;
  return [died, instead].filter(Boolean).join(' ') || undefined;
}

/** One incident, or those alike, as a line of a list. */
export function incidentLine(incident: Incident): string {
  const { times, first, last } = incident;
  const rows = (count: number) => `after ${count} ${count === 1 ? 'row' : 'rows'}`;
  const when =
    times === 1
      ? `${first.at}, ${rows(first.rows)}`
      : `${times} times, first ${first.at}, ${rows(first.rows)}, last ${last.at}, ${rows(last.rows)}`;
  return `${when}${incident.run === null ? '' : `, in ${incident.run}`}: ${incidentInWords(incident)}`;
}

/** What befell the engine, and how the evaluation went on. */
export function incidentInWords(incident: DeathIncident | StandInIncident): string {
  if (incident.kind === 'stand-in')
    return `The engine on ${incident.devices.join(', ')} is down; from here on the CPU alone answers`;
  const { width } = incident;
  const end = describeEnd(incident);
  if (!width || width.before === width.after) return end;
  return `${end}; ${width.after} instead of ${width.before} questions are in flight from here on`;
}
