/** A published file and the model inside it. */
export interface KnownFile {
  readonly model: '7b' | '7b-chat' | '70b';
  readonly source: string;
}

/**
 * SHA-256 of published GGUF files, as the file pages of the repositories named show it. Files of one name from different
 * makers differ; files that are not listed are recognised by name.
 */
export const knownFiles: Readonly<Record<string, KnownFile>> = {
  '3c7d29c948a9ed6562654a183f486619a65629497f933bc4e8eda21ce0674a3f': {
    model: '7b',
    source: 'Hugging Face TheBloke/meditron-7B-GGUF meditron-7b.Q2_K.gguf',
  },
  '4b51ef2491cef2baac3156dcb1226408edb03a85eff69b2b5255e20de150d3ab': {
    model: '7b',
    source: 'Hugging Face TheBloke/meditron-7B-GGUF meditron-7b.Q4_0.gguf',
  },
  '9fc104a0f8d66eaaf7243cbfaca2c9f8e9f924f3e68bbc0a45c42d4180f77ef5': {
    model: '7b',
    source: 'Hugging Face TheBloke/meditron-7B-GGUF meditron-7b.Q4_K_S.gguf',
  },
  c7838f2bc0678f84b04ae5050bef8d62270d2b9454696eb8b7bb490b47a38f22: {
    model: '7b',
    source: 'Hugging Face ccarrez/meditron-7b-Q4_K_M-GGUF meditron-7b.Q4_K_M.gguf',
  },
  '5f6d67fcdad97c7fb25ec3f9f63caa61e742c40f0b0cd848969428527ab2cb66': {
    model: '7b',
    source: 'Hugging Face chrohi/meditron-7b-Q8_0-GGUF meditron-7b-q8_0.gguf',
  },
  f5dc768c7319accde58f8b380bd6d97bb4cd6109217777301db5eb6481095452: {
    model: '7b-chat',
    source: 'Hugging Face TheBloke/meditron-7B-chat-GGUF meditron-7b-chat.Q4_K_S.gguf',
  },
  a7f909baeda3b84f51db7d2339de805fa3ac5ccf7b1f4ab10136160c0f3b35e8: {
    model: '7b-chat',
    source: 'Hugging Face TheBloke/meditron-7B-chat-GGUF meditron-7b-chat.Q4_K_M.gguf',
  },
  '240a943d53127afc31916464fc51c47f0b195ac713dfabd580698fa4af10cc72': {
    model: '7b-chat',
    source: 'Hugging Face TheBloke/meditron-7B-chat-GGUF meditron-7b-chat.Q8_0.gguf',
  },
  '3c75e781b99f2118e39e91e83a1c91aebd5d42a982e9c68a9c9a350e37704dfd': {
    model: '70b',
    source: 'Hugging Face TheBloke/meditron-70B-GGUF meditron-70b.Q2_K.gguf',
  },
  '2e341f92ede269a6a8f5c4f3972d8ec1875dfd6bc97a67babadbf9f149c35dc2': {
    model: '70b',
    source: 'Hugging Face TheBloke/meditron-70B-GGUF meditron-70b.Q3_K_S.gguf',
  },
  f6d3d5190359405b6c8b5da1c74195561b851c5e9630782af421c0e261aa89f2: {
    model: '70b',
    source: 'Hugging Face TheBloke/meditron-70B-GGUF meditron-70b.Q3_K_M.gguf',
  },
  '8a77b8c85722e80ca91adf544ba4bb67bbc63b3896b759ef5ab1c4b791c4e2c5': {
    model: '70b',
    source: 'Hugging Face TheBloke/meditron-70B-GGUF meditron-70b.Q3_K_L.gguf',
  },
  '114ee391b58438fc799b355d48f59c9f20d9c72a970e823eae2394b2531e21d0': {
    model: '70b',
    source: 'Hugging Face TheBloke/meditron-70B-GGUF meditron-70b.Q4_0.gguf',
  },
  '0dd180e0a4cd48f4055fba68b7c678389a929f3b5119b154f6b2047221940c91': {
    model: '70b',
    source: 'Hugging Face TheBloke/meditron-70B-GGUF meditron-70b.Q4_K_S.gguf',
  },
  '9695002f2bfad13f0635bec41b390decb8bf8220b8eebb4081c9d109eae24764': {
    model: '70b',
    source: 'Hugging Face TheBloke/meditron-70B-GGUF meditron-70b.Q4_K_M.gguf',
  },
  '02523d9813cde044992638a15808b470e049529526c5a7656cde28ff9fc99cc1': {
    model: '70b',
    source: 'Hugging Face TheBloke/meditron-70B-GGUF meditron-70b.Q5_0.gguf',
  },
  '7dc3f9ccc75163f99a17419d3c814465aa70bfcaa46744e6929df20e5671c6a1': {
    model: '70b',
    source: 'Hugging Face TheBloke/meditron-70B-GGUF meditron-70b.Q5_K_S.gguf',
  },
  '924801ff082f73a5b46c3d0c0b2df9d0e8a2230c551686011e1cc41a2a877595': {
    model: '70b',
    source: 'Hugging Face TheBloke/meditron-70B-GGUF meditron-70b.Q5_K_M.gguf',
  },
};
