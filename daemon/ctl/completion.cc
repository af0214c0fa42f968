#include <cstdlib>
#include <set>
#include <string>

#include "daemon/ctl/command.h"

namespace tollgate::daemon::ctl {
namespace {

std::string joined(std::span<const std::string_view> words) {
    std::string text;
    for (const std::string_view word : words)
        text.append(text.empty() ? "" : " ").append(word);
    return text;
}

/// For a word in single quotes of a shell.
std::string quoted(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    return out;
}

/// For a description in a specification of zsh's _arguments, in single quotes.
std::string described(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
        out += c;
    }
    return quoted(out);
}

std::string path_of(const Command& command) {
    return command.group.empty() ? std::string{command.name}
                                 : std::string{command.group} + ' ' + std::string{command.name};
}

/// The first words there are, each once, in the order of the table.
std::vector<std::string_view> first_words() {
    std::vector<std::string_view> words;
    std::set<std::string_view> seen;
    for (const Command& command : commands()) {
        const std::string_view word = command.group.empty() ? command.name : command.group;
        if (seen.insert(word).second) words.push_back(word);
    }
    return words;
}

std::vector<std::string_view> groups() {
    std::vector<std::string_view> found;
    for (const Command& command : commands()) {
        if (!command.group.empty() && (found.empty() || found.back() != command.group))
            found.push_back(command.group);
    }
    return found;
}

std::vector<std::string_view> names_in(std::string_view group) {
    std::vector<std::string_view> names;
    for (const Command& command : commands()) {
        if (command.group == group) names.push_back(command.name);
    }
    return names;
}

std::string options_of(std::span<const Option> options) {
    std::string text;
    for (const Option& option : options)
        text.append(text.empty() ? "--" : " --").append(option.name);
    return text;
}

// ---- bash ----

/// A case arm for what an option takes.
std::string bash_value_arm(const std::string& path, const Option& option) {
    if (option.value.empty()) return {};
    const std::string key = "        '" + path + " --" + std::string{option.name} + "') ";
    switch (option.words) {
        case Words::listed:
            return key + "COMPREPLY=($(compgen -W '" + quoted(joined(option.listed)) +
                   "' -- \"$current\")); return ;;\n";
        case Words::file:
            return key + "compopt -o default; COMPREPLY=(); return ;;\n";
        case Words::any:
            return key + "return ;;\n";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

std::string bash_script() {
    std::string valued;
    const auto note_valued = [&valued](const Option& option) {
        const std::string name = "|--" + std::string{option.name};
        if (!option.value.empty() && (valued + '|').find(name + '|') == std::string::npos) valued += name;
    };
    for (const Option& option : common_options())
        note_valued(option);
    for (const Command& command : commands()) {
        for (const Option& option : command.options)
            note_valued(option);
    }

    std::string script = R"(# Completion of tollgatectl for bash: made by `tollgatectl completion bash`.
_tollgatectl() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command= group= word i place=0 skip=
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -n $skip ]]; then skip=; continue; fi
        case $word in
        )" + valued.substr(1) +
                         R"() skip=1 ;;
        -*) ;;
        *)
            if [[ -z $command ]]; then
                command=$word
                case $word in
)";
    for (const std::string_view group : groups())
        script += "                " + std::string{group} + ") group=$word command= ;;\n";
    script += R"(                esac
                if [[ -n $group && $word != "$group" ]]; then command="$group $word"; fi
            else
                ((place++))
            fi ;;
        esac
    done
    case "$command $previous" in
)";
    for (const Command& command : commands()) {
        for (const Option& option : command.options)
            script += bash_value_arm(path_of(command), option);
    }
    script += "    esac\n    case \" $previous\" in\n";
    for (const Option& option : common_options())
        script += bash_value_arm("", option);
    script += "    esac\n    local options='" + options_of(common_options()) + "'\n    local words=\n";
    script += "    case \"$command\" in\n    '')\n        case \"$group\" in\n";
    for (const std::string_view group : groups())
        script += "        " + std::string{group} + ") words='" + quoted(joined(names_in(group))) + "' ;;\n";
    script += "        *) words='" + quoted(joined(first_words())) + "' ;;\n        esac ;;\n";
    for (const Command& command : commands()) {
        script += "    '" + path_of(command) + "')\n";
        if (!command.options.empty()) script += "        options+=' " + options_of(command.options) + "'\n";
        std::string arms;
        for (std::size_t i = 0; i < command.arguments.size(); ++i) {
            const Argument& argument = command.arguments[i];
            const std::string place = argument.is_many ? std::string{"*"} : std::to_string(i);
            if (argument.words == Words::listed) {
                arms += "        " + place + ") words='" + quoted(joined(argument.listed)) + "' ;;\n";
            } else if (argument.words == Words::file) {
                arms += "        " + place + ") [[ $current == -* ]] || { compopt -o default; return; } ;;\n";
            }
        }
        if (!arms.empty()) script += "        case $place in\n" + arms + "        esac\n";
        script += "        ;;\n";
    }
    script += R"(    esac
    if [[ $current == -* ]]; then words=$options; fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _tollgatectl tollgatectl
)";
    return script;
}

// ---- zsh ----

std::string zsh_option(const Option& option) {
    std::string text = "'--" + std::string{option.name} + (option.value.empty() ? "" : "=") + '[' +
                       described(option.about) + ']';
    if (!option.value.empty()) {
        text += ':' + described(option.value) + ':';
        if (option.words == Words::file) text += "_files";
        if (option.words == Words::listed) text += '(' + quoted(joined(option.listed)) + ')';
    }
    return text + '\'';
}

std::string zsh_argument(const Argument& argument, std::size_t place) {
    std::string text = "'" + (argument.is_many ? std::string{"*"} : std::to_string(place + 1)) + ':' +
                       described(argument.name) + ':';
    if (argument.words == Words::file) text += "_files";
    if (argument.words == Words::listed) text += '(' + quoted(joined(argument.listed)) + ')';
    return text + '\'';
}

/// One of what _describe offers.
std::string zsh_entry(std::string_view name, std::string_view about) {
    std::string entry = " '";
    entry.append(name).append(":").append(described(about)).append("'");
    return entry;
}

std::string zsh_describe(std::string_view variable, const std::string& entries) {
    return "        local -a " + std::string{variable} + "=(" + entries + ")\n        _describe command " +
           std::string{variable} + " ;;\n";
}

std::string zsh_script() {
    std::string common;
    for (const Option& option : common_options())
        common += ' ' + zsh_option(option);
    std::string script =
        "#compdef tollgatectl\n# Completion of tollgatectl for zsh: made by `tollgatectl completion zsh`.\n"
        "_tollgatectl() {\n    local context state state_descr line\n    typeset -A opt_args\n"
        "    _arguments -C" +
        common + " '1:command:->first' '*::arguments:->rest'\n    case $state in\n    first)\n";
    std::string entries;
    for (const std::string_view word : first_words()) {
        std::string_view about;
        for (const Command& command : commands()) {
            if (command.group.empty() && command.name == word) about = command.about;
        }
        if (about.empty()) about = about_group(word);
        entries += zsh_entry(word, about);
    }
    script += zsh_describe("words_first", entries);
    script += "    rest)\n        local command=$line[1]\n        case $command in\n";
    // Here `words` begins with the command, which is how _arguments wants it.
    for (const std::string_view group : groups()) {
        entries.clear();
        for (const Command& command : commands()) {
            if (command.group == group) entries += zsh_entry(command.name, command.about);
        }
        script.append("        ").append(group).append(")\n            if ((CURRENT == 2)); then\n");
        script.append("                local -a words_").append(group).append("=(").append(entries);
        script.append(")\n                _describe command words_").append(group);
        script.append(
            "\n                return\n            fi\n            command=\"$command $words[2]\"\n");
        script.append("            shift words\n            ((CURRENT--)) ;;\n");
    }
    script += "        esac\n        case $command in\n";
    for (const Command& command : commands()) {
        script += "        '" + path_of(command) + "') _arguments" + common;
        for (const Option& option : command.options)
            script += ' ' + zsh_option(option);
        for (std::size_t i = 0; i < command.arguments.size(); ++i)
            script += ' ' + zsh_argument(command.arguments[i], i);
        script += " ;;\n";
    }
    script += "        esac ;;\n    esac\n}\n_tollgatectl \"$@\"\n";
    return script;
}

}  // namespace

std::string completion_script(std::string_view shell) {
    return shell == "zsh" ? zsh_script() : bash_script();
}

}  // namespace tollgate::daemon::ctl
