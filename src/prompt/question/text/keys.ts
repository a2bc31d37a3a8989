/** A line that names the right answer. */
export interface KeyLine {
  /** What it names: `B`, `B. Ibuprofen`, `A, C`; empty for a line to be filled in. */
  readonly value: string;
  /** The names of options at the beginning of the value: one, or several. */
  readonly marks: readonly string[];
  /** What stands behind the first name: the option's text again, perhaps. */
  readonly rest: string;
  /**
   * `mark`: names options and nothing else could be meant. `text`: says something that may be an answer. `slot`: empty.
   * `weak`: as `text`, with a word that also means other things, such as "solution".
   */
  readonly strength: 'mark' | 'text' | 'slot' | 'weak';
  /** Whether only a blank stands between the word and the name: `answer 2`. */
  readonly loose?: boolean;
}

/** Words for the right answer, as they open a line. */
const answer = [
  String.raw`(?:the\s+)?(?:(?:most|correct|right|best|true|single|appropriate|accurate|likely|official|expected|suggested|model|verified|your|chosen)\s+){0,3}(?:answer(?:s|\(s\))?|ans)(?:\s+(?:key|choice|option|letter|is|are))?`,
  'ans',
  'answerkey',
  String.raw`(?:the\s+)?(?:correct|right|best)\s+(?:options?|choices?|responses?|alternatives?|keys?|letters?|statements?)`,
  String.raw`(?:die\s+)?(?:(?:richtige|korrekte|beste|zutreffende)n?\s+)?antwort(?:en|option)?`,
  String.raw`(?:die\s+)?(?:richtige|korrekte|zutreffende)n?\s+(?:lösung(?:en)?|loesung|option(?:en)?|aussagen?|auswahl|alternative)`,
  String.raw`(?:die\s+)?(?:lösung(?:en)?|loesung|musterlösung|lösungsschlüssel)`,
  String.raw`(?:la\s+|les\s+)?(?:bonnes?\s+|meilleures?\s+)?r[ée]ponse(?:s|\(s\))?(?:\s+(?:correctes?|exactes?|justes?|attendues?|vraies?))?`,
  'r[ée]p',
  'corrigée?',
  String.raw`(?:la\s+|las\s+)?(?:respuestas?|rpta|rta)(?:\s+(?:correctas?|verdaderas?))?`,
  String.raw`(?:la\s+)?(?:opci[oó]n|alternativa)\s+correcta`,
  String.raw`(?:a\s+|as\s+)?(?:respostas?)(?:\s+(?:corretas?|certas?))?`,
  String.raw`(?:a\s+)?(?:alternativa|op[çc][ãa]o|letra)\s+(?:correta|certa)`,
  'gabarito',
  String.raw`(?:la\s+|le\s+)?rispost[ae](?:\s+(?:corrett[ae]|esatt[ae]|giust[ae]))?`,
  String.raw`(?:opzione|alternativa)\s+(?:corretta|esatta|giusta)`,
  '정답|해답|모범답안|답안|답',
  '(?:正确|正確|标准|標準|参考|參考|最佳)?(?:答案|答)|正确选项|正確選項',
  '正解|正答|解答|答え',
  String.raw`(?:правильный\s+)?ответ`,
  String.raw`(?:juiste\s+|correcte\s+)?antwoord`,
  String.raw`(?:poprawna\s+|prawidłowa\s+)?odpowied[zź]`,
  String.raw`(?:doğru\s+)?(?:cevap|yanıt)`,
  String.raw`(?:rätt\s+|korrekt\s+)?svar`,
].join('|');

/** Words that also mean other things: they name an answer only before the name of an option, or behind the options. */
const weak = [
  'key|correct|right|sol|solution|gold|target|label|correction|justification|richtig|korrekt|correcte|correcta?|corretta?|esatta|juste|exacte',
  'clave|soluci[oó]n|solu[çc][ãa]o|soluzione|resp|rc|letra|r',
].join('|');

const separator = String.raw`(?:\s*(?:\]?\s*[:=]|\]|->|→|-{1,2}(?=\s)|[.)](?=\s|$)|은|는|이|为|為|是|は)\s*(?:[:=]\s*)?|\s+(?:is|are|was|ist|sind|lautet|lauten|est|sont|es|son|é|è|são|sono)\s*:?\s+(?:option\s+|the\s+)?)`;
const opening = new RegExp(
  String.raw`^(?:(${answer})|(${weak}))(?![\p{L}\d])(${separator}|\s+|(?=[([①-⑳❶-❿])|$)(.*)$`,
  'isu',
);
/** Korean, Chinese and Japanese write no blank between the word and the letter. */
const openingTight =
  /^(정답|해답|답|(?:正确|正確|标准|標準|参考|參考)?答案|正解|正答)(?:\s*(?:은|는|이|是|为|為|は)\s*)?([A-Za-z\d①-⑳].{0,3})$/su;
const sentence =
  /^(?:the\s+)?(?:(?:option|choice|answer|antwort|aussage|réponse|opción|respuesta|alternativa|letra|risposta|resposta)\s+)?[([]?([A-Z]|\d|[①-⑳])[)\].]?\s+(?:is|ist|est|es|é|è)\s+(?:the\s+|die\s+|la\s+|a\s+)?(?:correct|right|best|richtig|korrekt|correct[ea]|corretta|corret[ao]|juste|exacte|esatta|certa|true\s+answer|answer)(?!\p{L})[^?？]*$/isu;

const name = String.raw`(?:[A-Z](?![\p{L}\d])|\d{1,2}(?![\p{L}\d.,]*\d|\p{L}|\s*%)|[①-⑳❶-❿⑴-⒇ⓐ-ⓩⒶ-Ⓩ㉠-㉮]|[IVX]{1,5}(?![\p{L}\d])|[ㄱ-ㅎ가-하](?!\p{L}))`;
const several = new RegExp(
  String.raw`^[([]?(${name})[)\]]?(?:(?:\s*[,;/&+、，]\s*|\s+(?:and|und|et|y|e|및|和)\s+)(?:and\s+)?[([]?(${name})[)\]]?)+[.)\]]*$`,
  'iu',
);
const single = new RegExp(
  String.raw`^(?:(?:option|choice|letter|letra|alternative|alternativa|antwort|answer|number|nr\.?|no\.?|the|die|la|a|el|il)\s+)?[([]?\s*(${name})\s*(?:([)\].:,;!。]|\s-|-\s)+\s*(.*)|$|\s+(.*))$`,
  'isu',
);
const slot = /^[\s_.…?()[\]-]*$/;

/** What a line says of the right answer, if it can say so; `line` is folded and trimmed. */
export function keyLine(line: string): KeyLine | undefined {
  const key = bareKey(line);
  // A bullet may stand before an option, which may be any word.
  return key?.strength !== 'mark' && /^[•◦○●□◯❍▪▫■◆◇►▶➢➤∙⁃·★❖-]|^[*+]\s/u.test(line) ? undefined : key;
}

function bareKey(line: string): KeyLine | undefined {
  const bare = line
    .slice(0, 500)
    .replace(/^[\s*_#>|([{✓✔✅➔→•-]+/u, '')
    .replace(/\*\*|__/g, '')
    .replace(/[\s|]+$/, '');
  if (bare === '') return undefined;
  const said = sentence.exec(bare);
  if (said) return { value: bare, marks: [said[1]!], rest: '', strength: 'mark' };
  const tight = openingTight.exec(bare);
  const found = opening.exec(bare);
  if (!found && !tight) return undefined;
  const isWeak = found?.[2] !== undefined && !tight;
  const between = tight ? ':' : found![3]!;
  const value = (tight ? tight[2]! : found![4]!).replace(/^[\s*_]+|[\s*_]+$/g, '');
  const isLoose = between.trim() === '';
  if (isWeak && isLoose) return undefined;
  if (slot.test(value)) {
    // The word alone on its line: `Answer`, `Answer:`, `Answer: ____`.
    return isWeak ? undefined : { value: '', marks: [], rest: '', strength: 'slot' };
  }
  const closed = value.replace(/[)\]}]+$/, '');
  const list = several.exec(value) ?? several.exec(closed);
  if (list) {
    const marks = value.match(new RegExp(name, 'giu')) ?? [];
    return { value, marks: marks.filter(mark => !/^[ey]$/.test(mark)), rest: '', strength: 'mark', loose: isLoose };
  }
  const one = single.exec(value);
  if (one) {
    const rest = (one[3] ?? one[4] ?? '').replace(/^[^\p{L}\d]+$/u, '').trim();
    const firm = rest === '' || one[2] !== undefined;
    if (firm && !(isLoose && rest !== '')) return { value, marks: [one[1]!], rest, strength: 'mark', loose: isLoose };
    if (!isLoose) return { value, marks: [one[1]!], rest, strength: isWeak ? 'weak' : 'text' };
    return undefined;
  }
  if (isLoose) return undefined;
  return { value, marks: [], rest: value, strength: isWeak ? 'weak' : 'text' };
}

/** Whether the end of a text says that it is right or wrong, or names an option: `(this is the answer)`, `[B]`. */
export function endsInVerdict(text: string): boolean {
  return /\S\s*(?:[([][^()[\]]{0,40}(?<!\p{L})(?:answer|correct|incorrect|key|richtig|falsch|wrong)(?!\p{L})[^()[\]]{0,40}[)\]]|\s-+\s*(?:incorrect|correct|right|wrong|richtig|falsch)|\*(?:in)?correct\*|\s\[[A-J]\])[\s.]{0,3}$/iu.test(
    text.slice(-120),
  );
}

/** A key at the end of a line that says something else before it: `D. Codeine  Answer: B`. */
const trailing = new RegExp(
  String.raw`(?<=[\s;,.(\[])[(\[*_]*(?:${answer}|key|ans|resp|sol)\s*(?:[:=]|is\s)\s*[*_]*[(\[]?${name}[)\].*_]*$`,
  'iu',
);

/** Where a key begins inside a line, or -1; only its end is looked at. */
export function trailingKey(text: string): number {
  const from = Math.max(0, text.length - 120);
  const found = trailing.exec(text.slice(from));
  return found ? from + found.index : -1;
}

/** Whether a key at the end of a line stands apart from the words before it: in brackets or behind a gap. */
export function standsApart(text: string, at: number): boolean {
  return /^[([]/.test(text.slice(at)) || /(?:[([][*_]*|\s{2}|\t)$/.test(text.slice(0, at));
}

const notes = [
  'explanations?|rationales?|reasoning|discussion|comments?|commentary|feedback|teaching\\s+points?|learning\\s+(?:objectives?|points?)|educational\\s+objectives?|bottom\\s+line|key\\s+(?:points?|idea|concept|learning)|take[- ]?home\\s+(?:points?|message)|hints?|justification|references?|ref|sources?|bibliography|literature|further\\s+reading',
  'erklärung(?:en)?|erläuterung(?:en)?|begründung(?:en)?|kommentare?|hinweise?|quellen?|quellenangaben?|literatur|lernziel',
  'explications?|commentaires?|références?|justificatif',
  'explicaci[oó]n(?:es)?|comentarios?|justificaci[oó]n|referencias?|bibliograf[ií]a|fuentes?|retroalimentaci[oó]n',
  'explica[çc][ãa]o|explica[çc][õo]es|coment[áa]rios?|justificativa|refer[êe]ncias?|fontes?',
  'spiegazion[ei]|commento|commenti|giustificazione|riferimenti|fonti',
  '해설|설명|풀이|참고문헌|참고|출처',
  '答案解析|解析|解释|解釋|分析|详解|詳解|解説|说明|参考文献|來源|来源|出处|考点|点评',
  'пояснение|объяснение|uitleg|açıklama|wyjaśnienie|förklaring',
].join('|');
const noteOpening = new RegExp(String.raw`^(?:${notes})(?![\p{L}\d])(?:[^:]{0,40}:|\s+-|\]|\s*$)`, 'iu');

/**
 * Whether a line begins an explanation, a comment or references. A small letter without a colon does not: it is the next
 * line of a sentence.
 */
export function noteHeading(line: string): boolean {
  const bare = bareStart(line);
  return noteOpening.test(bare) && (!/^\p{Ll}/u.test(bare) || /^[^:]{0,60}:/.test(bare));
}

/** Whether a line begins with a verdict on the option before it: `Incorrect. ...`. */
export function verdict(line: string): boolean {
  return /^(?:in)?correct\s*[.!:,-]|^(?:wrong|right|richtig|falsch|(?:in)?correct[oae]|(?:in)?corret[oa]|vrai|faux|juste|(?:non\s+)?corrett[oa]|errat[oa]|errad[oa]|정답|오답|正确|错误|正確|錯誤)(?:\s*[.!:-]|$)/iu.test(
    bareStart(line),
  );
}

const fields =
  /^(?:tags?|topics?|subjects?|speciali?ty|category|categories|difficulty|exam|question\s+id|qid|chapter|blueprint|pmid|doi|thema|themen|fach|kategorie|schwierigkeit(?:sgrad)?|thème|matière|difficulté|tema|materia|asignatura|dificultad|argomento|assunto|disciplina|과목|난이도|주제|题型|难度|知识点)\s*[:#]/iu;

/** Whether a line says something about the question, such as its topic or difficulty. */
export function noteLine(line: string): boolean {
  return fields.test(bareStart(line));
}

const pageNumbers: readonly RegExp[] = [
  /^(?:[^.?!]{0,60}[|–-]\s*)?(?:page|seite|página|pagina|pág\.|pag\.|p\.)\s*\d{1,5}(?:\s*(?:of|von|de|di|sur|\/)\s*\d{1,5})?[\s|-]*$/iu,
  /^[-–\s]*\d{1,4}\s*(?:\/|of|von|de|sur|di)\s*\d{1,4}[-–\s]*$/iu,
  /^[-–]\s*\d{1,4}\s*[-–]$/u,
  /^(?:第\s*\d+\s*页|\d+\s*페이지)/u,
];
const footers: readonly RegExp[] = [
  /^(?:page|seite|página|pagina)\s*\d{1,5}\s*(?:of|von|de|di|sur)\s*\d{1,5}$/iu,
  /^(?:©|\(c\)\s+\d{4}|copyright(?!\p{L})|all rights reserved|alle rechte vorbehalten|tous droits réservés|todos los derechos)/iu,
  /©\s*(?:\d{4}|\p{L})/u,
  /^(?:https?:\/\/|www\.)\S+$/iu,
  /^(?:downloaded from|printed (?:from|on|by)|retrieved from|this content (?:is|was)|\[?turn over\]?$|\[?please turn over\]?$|end of (?:the )?(?:question|exam|block|test|section)|(?:next|previous) question|show (?:answer|explanation)s?$|submit(?: answer)?$|report (?:a |this )?(?:question|error|problem)|flag (?:this )?question|not yet answered$|marked out of|answer saved$|question text$|(?:item|question)\s*:?\s*\d{1,4}\s*(?:of|\/)\s*\d{1,4}$|mark (?:this )?question)/iu,
];

/**
 * Page numbers, copyright and buttons, as they come along when a page is copied; `unsure` for a page number that could also be
 * the wrapped line of a sentence: `Page 3`, `3/10`.
 */
export function footer(line: string): 'sure' | 'unsure' | undefined {
  if (line.length > 200) return undefined;
  const bare = bareStart(line);
  const is = (patterns: readonly RegExp[]) => patterns.some(pattern => pattern.test(line) || pattern.test(bare));
  return is(footers) ? 'sure' : is(pageNumbers) ? 'unsure' : undefined;
}

/** Whether a line only says that the options follow. */
export function optionsHeading(line: string): boolean {
  return /^[\s*_#]*(?:question\s+\d{1,4}\s*)?(?:(?:answer\s+|possible\s+)?(?:options?|choices?|answers|alternatives)|select\s+(?:one|the\s+best\s+answer)|choose\s+(?:one|the\s+best\s+answer)|optionen|antwort(?:en|möglichkeiten|optionen|alternativen)|auswahl(?:möglichkeiten)?|wählen\s+sie\s+eine\s+antwort|choix|propositions?|réponses?(?:\s+possibles)?|options\s+de\s+réponse|choisissez\s+une\s+réponse|opciones(?:\s+de\s+respuesta)?|respuestas|alternativas|seleccione\s+una|elija\s+una|opções|opcoes|respostas|escolha\s+uma(?:\s+opção)?|opzioni|risposte|alternative|scegli\s+(?:una|un'alternativa)|보기|선택지|选项|選項|选择|备选答案|選択肢|варианты\s+ответа)[\s*_]*[:]?[\s*_]*$/iu.test(
    line.slice(0, 100),
  );
}

const questionWord = `question|q|frage|aufgabe|pregunta|quest[ãa]o|pergunta|domanda|quesito|문제|문항|질문|题目|问题|問題|вопрос`;
const headings: readonly RegExp[] = [
  new RegExp(
    String.raw`^\s*[*_#\s]*(?:${questionWord})[\s.#]*(?:(?:no|nr|n[°ºo])\.?\s*)?\d{1,4}(?:\s*(?:of|von|de|sur|di|\/)\s*\d{1,4})?\s*(?:[:.)\-]|[*_]|$)[*_]*\s*`,
    'iu',
  ),
  new RegExp(String.raw`^\s*[*_#\s]*(?:(?:${questionWord})\s*(?::|\)(?=\s))|q\.(?=\s))[*_]*\s*`, 'iu'),
  /^[\s*_#]*(?:question|frage|pregunta|문제)[\s*_]*$/iu,
  /^\s*第\s*\d{1,4}\s*题\s*[:.、]?\s*/u,
  /^\s*[[(#]?\s*\d{1,4}\s*(?:[.)\]、:]{1,2}-?(?!\d)|-(?=\s))\s*/u,
  /^\s*#\s*\d{1,4}\s+/u,
  /^\s*#?\d{1,4}\s*$/u,
];

/** The length of a heading or number that opens a question: `12. `, `Question 3 of 40:`, `Frage:`. */
export function questionHeading(folded: string): number {
  for (const pattern of headings) {
    const found = pattern.exec(folded);
    if (found) return found[0].length;
  }
  return 0;
}

/** Whether a line opens another question by its number. */
export function numberedQuestion(line: string): boolean {
  return headings.slice(0, 1).some(pattern => pattern.test(line)) || /^\s*(?:第\s*\d{1,4}\s*题)/u.test(line);
}

/** Without signs of emphasis, headings and quotation; a bullet stays, because what it marks may be an option. */
function bareStart(line: string): string {
  return line
    .slice(0, 200)
    .replace(/^(?:[#_>|([]+\s*|\*+(?=\S))+/u, '')
    .replace(/\*\*|__/g, '');
}
