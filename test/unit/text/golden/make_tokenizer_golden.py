"""Writes tokenizer.json beside this file: ids and offsets of nasty strings by Python `tokenizers`, without special tokens.

    python make_tokenizer_golden.py PATH/TO/models/reviews-minilm/tokenizer.json
"""
import hashlib, json, pathlib, sys, tokenizers

TEXTS = [
    "A warm, funny and quietly moving film; I left the cinema smiling.",
    "Don't miss it: it's a well-made, state-of-the-art tear-jerker!",
    "don\u2019t \u2018quote\u2019 \u201cme\u201d \u2014 please\u2026",
    "good good good, very very good",
    "Caf\u00e9 NA\u00cfVE r\u00e9sum\u00e9 \u00c5ngstr\u00f6m Fran\u00e7ois",
    "Cafe\u0301 nai\u0308ve (decomposed) e\u0301e\u0301",
    "cafe\u0301",
    "Stra\u00dfe \u1e9e gro\u00df Ma\u00dfe",
    "\u0130stanbul \u0130 \u0131 I i \u0130\u0130x",
    "\ufb01lm \ufb02at \ufb03 \u0132 \u01c6",
    "\u00bd \u00b2 \u2460 \u2167 \uff21\uff22\uff23",
    "Great\U0001F44D movie \U0001F600\U0001F600 \U0001F600",
    "\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466 loved it",
    "thumbs \U0001F44D\U0001F3FD up",
    "\u2764\ufe0f love \u2764 it\ufe0f",
    "flag \U0001F1E9\U0001F1EA and \U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F end",
    "1\ufe0f\u20e3 first",
    "\u6211\u559c\u6b22\u8fd9\u90e8\u7535\u5f71\u3002",
    "\u3053\u306e\u6620\u753b\u306f\u6700\u9ad8\u3067\u3059\uff01",
    "\u30ab\u30bf\u30ab\u30ca \u304c\u304e \u304b\u3099",
    "\uc601\ud654 \uc88b\uc544\uc694 \ud55c\uad6d\uc5b4",
    "\u0e2b\u0e19\u0e31\u0e07\u0e14\u0e35\u0e21\u0e32\u0e01",
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u092b\u093f\u0932\u094d\u092e",
    "\u0641\u064a\u0644\u0645 \u0631\u0627\u0626\u0639\u064c \u062c\u062f\u064b\u0651\u0627",
    "\u05e1\u05e8\u05d8 \u05de\u05b0\u05e2\u05d5\u05bc\u05dc\u05b6\u05d4",
    "\u0424\u0438\u043b\u044c\u043c \u0445\u043e\u0440\u043e\u0448\u0438\u0439, \u0401\u043b\u043a\u0430 \u0439",
    "\u03a4\u03bf \u03ad\u03c1\u03b3\u03bf \u03ae\u03c4\u03b1\u03bd \u03ba\u03b1\u03bb\u03cc",
    "Ti\u1ebfng Vi\u1ec7t \u0110\u01b0\u1eddng",
    "a\u0300\u0316\u0301b z\u0316\u0300",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324a\u0321lgo",
    "tab\tnew\nline\r\nreturn\u00a0nbsp\u2003em\u3000ideographic",
    "zero\u200bwidth \u200b start\u200b, soft\u00adhyphen \ufeffbom",
    "control\u0000char\u0007s \u0001 here\u007f",
    "vertical\u000btab form\u000cfeed next\u0085line",
    "line\u2028separator para\u2029graph",
    "replacement \ufffd char a\ufffdb",
    "private \ue000 use x\ue001y",
    "bidi \u202eabc\u202c \u200fmark",
    "one<br /><br />two<br/>three",
    "<a href=\"http://example.org/?q=1&b=2\">link</a>",
    "https://www.example.com/path_name#top mail me@example.com",
    "8.5/10, $9.99 or 50% -- 1,000,000+ (e.g. U.S.A.) #hash @you",
    "C++ & C# ^_^ :-) ;) <3 =D ~ ` |",
    "...!!!???---",
    "under_score snake_case __init__",
    "rock'n'roll o'clock 'tis dogs' 90's",
    "unbelievableness antidisestablishmentarianism",
    "x" * 100,
    "x" * 101 + " after",
    "supercalifragilisticexpialidocious\u00e9" * 3,
    " leading and trailing  ",
    "\u00e9",
    "a",
    "!",
    "[CLS] hello [SEP] [MASK][MASK] [UNK] [PAD]x",
    "[mask] [ MASK ] [MAS\u200bK]",
    "\U0001D400\U0001D401 math \U0001F130",
    "\u01c5 \u1fbc \u1f80 \u2126 \u212b \u212a",
    "\u0e33 \u0f73 \u1100\u1161\u11a8 \uac01\u11a8",
    "\u302e\u302f\uac00\u302e\u0301 x\u0301\u302ex",
    "\u20ac5 \u00a310 \u00a9 \u2122 \u00b0C \u00d7 \u2192 \u221e",
    "\u00ab guillemets \u00bb \u00bfqu\u00e9? \u00a1s\u00ed! \u2013 \u2022",
    "ca\u00f1o\u0303n\u0303\u0303!\u0301 ?\u0301",
    # Where Hugging Face's Rust and JavaScript tokenizers differ; see the test.
    "\u039f\u0394\u039f\u03a3 \u03a3\u03a3 \u03a3\u03bf\u03c6\u03bf\u03a3",
    "\U00020000\U00020001 \u4e00\U00020000",
]

def main(path):
    tokenizer = tokenizers.Tokenizer.from_file(path)
    tokenizer.no_truncation(); tokenizer.no_padding()
    cases = []
    for text in TEXTS:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        cases.append({"text": text, "ids": encoding.ids, "offsets": encoding.offsets})
    out = {"tokenizers": tokenizers.__version__, "script": pathlib.Path(__file__).name,
           "vocabularySha256": hashlib.sha256(json.dumps(sorted(tokenizer.get_vocab().items())).encode()).hexdigest(), "cases": cases}
    target = pathlib.Path(__file__).with_name("tokenizer.json")
    lines = ",\n".join("    " + json.dumps(case) for case in cases)
    head = json.dumps({k: v for k, v in out.items() if k != "cases"}, indent=2)[:-2]
    target.write_text(head + ',\n  "cases": [\n' + lines + "\n  ]\n}\n")

main(sys.argv[1])
