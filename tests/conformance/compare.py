# SPDX-License-Identifier: LGPL-2.1-or-later
"""How two texts of the conformance data are compared: exact, equivalent or different."""
import json
import shlex
import xml.etree.ElementTree as ElementTree

# What errors of one code begin with; VIR_ERR_XML_DETAIL and system errors have nothing in front.
ERROR_CLASSES = (
    "internal error: ",
    "out of memory: ",
    "this function is not supported by the connection driver: ",
    "invalid argument: ",
    "operation failed: ",
    "XML error: ",
    "unsupported configuration: ",
    "Requested operation is not valid: ",
    "Operation not supported: ",
    "argument unsupported: ",
    "XML document failed to validate against schema: ",
    "invalid MAC address: ",
    "Security model not found: ",
    "unknown OS type ",
    "resource busy: ",
    "access denied: ",
    "device not found: ",
)


def error_class(message):
    """The part of a message that its code decides."""
    return next((prefix for prefix in ERROR_CLASSES if message.startswith(prefix)), "")


def joined(text):
    """A text as it is loaded: lines that a backslash joins, a final newline not counted."""
    return text.replace("\\\n", "").removesuffix("\n")


def texts(name, wanted, got):
    suffix = name.rsplit(".", 1)[-1]
    if suffix in ("args", "argv"):
        same, alike = wanted == got, commands_alike
    elif suffix == "xml":
        same, alike = joined(wanted) == joined(got), xml_alike
    elif suffix in ("json", "reply"):
        same, alike = joined(wanted) == joined(got), json_alike
    else:
        same, alike = joined(wanted) == joined(got), None
    if same:
        return "exact"
    return "equivalent" if alike and alike(wanted, got) else "different"


def without_keys(text, keys):
    """A JSON text without these members of its top level; any other text as it is."""
    if not keys:
        return text
    document = json.loads(joined(text))
    for key in keys:
        document.pop(key, None)
    return json.dumps(document, indent=2) + "\n"


def json_alike(wanted, got):
    try:
        return json.loads(joined(wanted)) == json.loads(joined(got))
    except ValueError:
        return False


def commands(text):
    """[(environment as a set, words)], a command a line."""
    result = []
    for line in text.replace("\\\n", "").splitlines():
        words = shlex.split(line)
        count = 0
        while count < len(words) and is_assignment(words[count]):
            count += 1
        result.append((frozenset(words[:count]), words[count:]))
    return result


def is_assignment(word):
    name, equals, _ = word.partition("=")
    return bool(equals) and name.replace("_", "a").isalnum() and not name[0].isdigit()


def words_alike(wanted, got):
    if wanted == got:
        return True
    if not (wanted.startswith("{") and got.startswith("{")):
        return False
    return json_alike(wanted, got)


def commands_alike(wanted, got):
    try:
        wanted, got = commands(wanted), commands(got)
    except ValueError:
        return False
    if len(wanted) != len(got):
        return False
    return all(
        one[0] == two[0] and len(one[1]) == len(two[1])
        and all(words_alike(first, second) for first, second in zip(one[1], two[1]))
        for one, two in zip(wanted, got))


def xml_alike(wanted, got):
    try:
        return canonical(wanted) == canonical(got)
    except ElementTree.ParseError:
        return False


def canonical(text):
    """C14N without text that is white space only; elements keep their order."""
    root = ElementTree.fromstring(text)
    for element in root.iter():
        if element.text is not None and not element.text.strip():
            element.text = None
        if element.tail is not None and not element.tail.strip():
            element.tail = None
    return ElementTree.canonicalize(ElementTree.tostring(root, encoding="unicode"))
