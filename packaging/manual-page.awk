# Makes a manual page (man(7)) of a page of docs/: headings, paragraphs, tables, lists, code.
#
#   awk -v name=mirrorctl -v section=8 -v about='...' -v date=2026-01-31 -v part='## mirrorctl' -f manual-page.awk PAGE.md
#
# part: only what is below this heading, up to the next one of its level. Without it, everything below the first heading.

function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/\047/, "\\(aq", text)
    return text
}

# `code` and **strong** become bold, [text](target) its text; \< \> \| lose the backslash.
function inline(text,   out, at, word) {
    gsub(/\\</, "<", text); gsub(/\\>/, ">", text); gsub(/\\\|/, "|", text)
    while (match(text, /\[[^]]*\]\([^)]*\)/)) {
        word = substr(text, RSTART + 1, RLENGTH - 1)
        sub(/\]\(.*/, "", word)
        text = substr(text, 1, RSTART - 1) word substr(text, RSTART + RLENGTH)
    }
    out = ""
    while (match(text, /`[^`]*`|\*\*[^*]*\*\*|\*[^* ][^*]*\*/)) {
        word = substr(text, RSTART, RLENGTH)
        out = out escaped(substr(text, 1, RSTART - 1))
        at = word ~ /^`/ ? 1 : (word ~ /^\*\*/ ? 2 : 1)
        out = out (word ~ /^(`|\*\*)/ ? "\\fB" : "\\fI") escaped(substr(word, 1 + at, length(word) - 2 * at)) "\\fR"
        text = substr(text, RSTART + RLENGTH)
    }
    out = out escaped(text)
    return out
}

# A line of text; a dot or quote at its begin would be a request.
function say(text) {
    if (text ~ /^[.]/) text = "\\&" text
    print text
}

# The cells of a table's line, in cell[1..]; "\|" is no border.
function split_cells(line,   i, count) {
    gsub(/\\\|/, "\001", line)
    sub(/^\|[ ]*/, "", line); sub(/[ ]*\|[ ]*$/, "", line)
    count = split(line, cell, /[ ]*\|[ ]*/)
    for (i = 1; i <= count; i++) gsub(/\001/, "|", cell[i])
    return count
}

# A table: its first column is the term, the others its description.
function row(line,   count, i) {
    count = split_cells(line)
    if (line ~ /^\|[-| :]*$/) return
    if (!in_table) { in_table = 1; return }
    print ".TP"
    say(inline(cell[1]))
    for (i = 2; i <= count; i++) if (cell[i] != "") say(inline(cell[i]) (i < count ? (cell[i] ~ /[.;:]$/ ? "" : ".") : ""))
}

BEGIN {
    printf ".TH \"%s\" \"%s\" \"%s\" \"MirrorD\" \"System Administration\"\n", toupper(name), section, date
    print ".nh"; print ".ad l"
    print ".SH NAME"; printf "%s \\- %s\n", escaped(name), escaped(about)
    print ".SH DESCRIPTION"
    level = 0; on = 0
    if (part != "") { match(part, /^#+/); level = RLENGTH }
}

/^```/ { if (on) { print in_code ? ".fi\n.RE" : ".PP\n.RS 4\n.nf"; in_code = !in_code }; next }
in_code { if (on) say(escaped($0)); next }

/^#+ / {
    match($0, /^#+/); depth = RLENGTH
    in_table = 0
    if (part == "" && !on) { on = 1; level = depth; next }
    if (part != "" && $0 == part) { on = 1; next }
    if (on && depth <= level) { exit }
    if (on) {
        heading = inline(substr($0, depth + 2))
        print (depth == level + 1 ? ".SH " toupper_plain(heading) : ".SS " heading)
    }
    next
}

!on { next }
/^\|/ { row($0); next }
/^$/ { in_table = 0; print ".PP"; next }
/^[*-] / { print ".IP \\(bu 2"; say(inline(substr($0, 3))); next }
/^  / { sub(/^ +/, ""); say(inline($0)); next }
{ if (in_table) { print ".PP"; in_table = 0 }; say(inline($0)) }

function toupper_plain(text) { return text ~ /\\/ ? text : toupper(text) }
