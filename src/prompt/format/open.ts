/** The longest list that may be asked for. */
export const maxRankedItems = 20;

/**
 * What is asked of a model for a differential diagnosis: a ranked list as JSON, which the grammar of grammar.ts then
 * enforces. The wording is this project's own: no published MEDITRON prompt asks for a list.
 */
export function rankedInstruction(items: number): string {
  return (
    `You are a medical doctor. List the ${items === 1 ? 'most likely diagnosis' : `${items} most likely diagnoses`} for the ` +
    'following case, the most likely first. Give each as a short standard name, without explanation. Answer with one JSON ' +
    'object of the form {"diagnoses": ["...", "..."]}.'
  );
}
