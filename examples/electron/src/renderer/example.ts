/** What the model that ships can do: it adds up six clinical scores. */
export const example = `A patient has atrial fibrillation: age 77, male, heart failure, no hypertension, no diabetes, previous TIA. What is the patient's CHA2DS2-VASc score?

A. 5
B. 1
C. 4
D. 3`;
