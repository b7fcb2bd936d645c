"""A terminal's screen, as `tmux capture-pane -e` gives it, drawn as SVG.

Text stays text. Frames are drawn as lines, so that they close whatever the font's line height is.
"""

import dataclasses
import re
import unicodedata
from xml.sax.saxutils import escape

CELL = (8.4, 18)
PADDING = 16
FONT = 14
BACKGROUND, FOREGROUND = "#14161b", "#e0e2ea"
# The sixteen colours of terminals, for programs that ask for no others.
PALETTE = ("#14161b #ff6c6b #98be65 #ecbe7b #51afef #c678dd #46d9ff #c4c6cd "
           "#4f5258 #ffc0b9 #b3f6c0 #fce094 #a6dbff #ffcaff #8cf8f7 #eef1f8").split()

# Where the lines of a frame go from the middle of a cell: left, right, up, down; and whether the corner is round.
FRAME = {
    "─": ("lr", False), "│": ("ud", False), "╭": ("rd", True), "╮": ("ld", True), "╰": ("ru", True), "╯": ("lu", True),
    "┌": ("rd", False), "┐": ("ld", False), "└": ("ru", False), "┘": ("lu", False),
}


@dataclasses.dataclass(frozen=True)
class Style:
    foreground: str | None = None
    background: str | None = None
    bold: bool = False
    faint: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False

    def colours(self):
        """Foreground and background as they are seen."""
        pair = (self.foreground or FOREGROUND, self.background or BACKGROUND)
        return pair[::-1] if self.reverse else pair


def styled(style, codes):
    """The style after a sequence `ESC [ codes m`."""
    # `4:3` is one code with a variant, `38;2;1;2;3` are five.
    numbers = iter([int(code.split(":")[0] or 0) if not code.startswith(("38:", "48:", "58:")) else code
                    for code in (codes or "0").split(";")])
    change = dataclasses.replace
    for number in numbers:
        if isinstance(number, str):
            parts = [int(part) for part in number.split(":") if part]
            colour = indexed(parts[2]) if parts[1] == 5 else rgb(parts[-3:])
            number = parts[0]
        elif number in (38, 48, 58):
            colour = rgb([next(numbers) for _ in range(3)]) if next(numbers) == 2 else indexed(next(numbers))
        if number == 0:
            style = Style()
        elif number in (1, 2, 3, 4, 7):
            name = {1: "bold", 2: "faint", 3: "italic", 4: "underline", 7: "reverse"}[number]
            style = change(style, **{name: True})
        elif number == 22:
            style = change(style, bold=False, faint=False)
        elif number in (23, 24, 27):
            style = change(style, **{{23: "italic", 24: "underline", 27: "reverse"}[number]: False})
        elif number == 38:
            style = change(style, foreground=colour)
        elif number == 48:
            style = change(style, background=colour)
        elif number == 39:
            style = change(style, foreground=None)
        elif number == 49:
            style = change(style, background=None)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            style = change(style, foreground=PALETTE[number - (30 if number < 90 else 82)])
        elif 40 <= number <= 47 or 100 <= number <= 107:
            style = change(style, background=PALETTE[number - (40 if number < 100 else 92)])
    return style


def rgb(parts):
    return "#" + "".join(f"{part:02x}" for part in parts)


def indexed(number):
    if number < 16:
        return PALETTE[number]
    if number >= 232:
        return rgb([8 + 10 * (number - 232)] * 3)
    number -= 16
    return rgb([0 if part == 0 else 55 + 40 * part for part in (number // 36, number // 6 % 6, number % 6)])


def rows(screen):
    """For each row its pieces: column, columns, text, style."""
    style = Style()
    for line in screen.split("\n"):
        pieces, column = [], 0
        for codes, other, text in re.findall(r"\x1b\[([\d;:]*)m|(\x1b\][^\x1b]*\x1b\\|\x1b[()].|[\x0e\x0f])|([^\x1b\x0e\x0f]+)", line):
            if text:
                pieces.append((column, width(text), text, style))
                column += width(text)
            elif not other:
                style = styled(style, codes)
        yield pieces


def width(text):
    return sum(0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def draw(screen, columns, title, cursor=None):
    """The picture. `cursor` is its row and column, from 0."""
    lines = list(rows(screen.rstrip("\n")))
    size = (columns * CELL[0] + 2 * PADDING, len(lines) * CELL[1] + 2 * PADDING)
    boxes, texts, frames = [], [], {}
    for row, pieces in enumerate(lines):
        top = PADDING + row * CELL[1]
        for column, count, text, style in pieces:
            left = PADDING + column * CELL[0]
            foreground, background = style.colours()
            if background != BACKGROUND:
                boxes.append(f'<rect x="{left:.1f}" y="{top}" width="{count * CELL[0]:.1f}" height="{CELL[1]}" fill="{background}"/>')
            for offset, letter in enumerate(text):
                if letter in FRAME:
                    frames.setdefault(foreground, []).append(stroke(letter, left + offset * CELL[0], top))
            words = "".join(" " if letter in FRAME else letter for letter in text)
            # Blanks at the ends, and wide gaps, are not drawn: what is left stands where it is.
            for word in re.finditer(r"\S+(?: \S+)*", words):
                texts.append(text_at(word.group(), left + width(words[:word.start()]) * CELL[0], top, foreground, style))
    if cursor:
        left, top = PADDING + cursor[1] * CELL[0], PADDING + cursor[0] * CELL[1]
        boxes.append(f'<rect x="{left:.1f}" y="{top}" width="{CELL[0]}" height="{CELL[1]}" fill="{FOREGROUND}" fill-opacity="0.35"/>')
    paths = [f'<path d="{" ".join(parts)}" fill="none" stroke="{colour}"/>' for colour, parts in frames.items()]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]:.0f} {size[1]}" width="{size[0]:.0f}" height="{size[1]}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        *boxes,
        *paths,
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', \'Liberation Mono\', monospace"'
        f' font-size="{FONT}" xml:space="preserve">',
        *texts,
        "</g>",
        "</svg>",
    ]) + "\n"


def text_at(text, left, top, colour, style):
    look = f' fill="{colour}"'
    look += ' font-weight="bold"' if style.bold else ""
    look += ' font-style="italic"' if style.italic else ""
    look += ' fill-opacity="0.6"' if style.faint else ""
    look += ' text-decoration="underline"' if style.underline else ""
    # The length is said, so that the columns fit in any font.
    length = f' textLength="{width(text) * CELL[0]:.1f}" lengthAdjust="spacingAndGlyphs"' if len(text) > 1 else ""
    return f'<text x="{left:.1f}" y="{top + 13}"{length}{look}>{escape(text)}</text>'


def stroke(letter, left, top):
    """A letter of a frame as a path through its cell."""
    ways, is_round = FRAME[letter]
    middle = (left + CELL[0] / 2, top + CELL[1] / 2)
    ends = {"l": (left, middle[1]), "r": (left + CELL[0], middle[1]), "u": (middle[0], top), "d": (middle[0], top + CELL[1])}
    (x1, y1), (x2, y2) = ends[ways[0]], ends[ways[1]]
    if is_round:
        return f"M{x1:.1f} {y1:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {x2:.1f} {y2:.1f}"
    return f"M{x1:.1f} {y1:.1f}L{middle[0]:.1f} {middle[1]:.1f}L{x2:.1f} {y2:.1f}"
