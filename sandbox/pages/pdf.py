"""A PDF of one page with a few lines of text (ISO 32000-1), as small as one can be."""

FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
PAGE = (
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]"
    " /Resources << /Font << /F 4 0 R >> >> /Contents 5 0 R >>"
)


def one_page(lines: list[str]) -> bytes:
    text = "".join(f"({_escaped(line)}) Tj T* " for line in lines)
    content = f"BT /F 12 Tf 16 TL 56 780 Td {text}ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        PAGE,
        FONT,
        f"<< /Length {len(_encoded(content))} >>\nstream\n{content}\nendstream",
    )
    return _file(objects)


def _file(objects: tuple[str, ...]) -> bytes:
    """The objects one after another, and the table that says at which byte each begins."""
    file, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(file))
        file += _encoded(f"{number} 0 obj\n{body}\nendobj\n")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(objects) + 1
    return file + _encoded(
        f"xref\n0 {count}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(file)}\n%%EOF\n"
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _encoded(text: str) -> bytes:
    return text.encode("cp1252", "replace")
