-- The checks; one line each, then "N passed, N failed", and the exit code says the same.

local server = _G.server ---@type table
local kit = dofile(vim.env.PLUGIN .. '/tests/kit.lua')
local check, told, repository, attached, drawn = kit.check, kit.told, kit.repository, kit.attached, kit.drawn
local code = kit.code

local function plain()
  local said = kit.listen()

  check('every verb has its <Plug> map', function()
    return vim.iter(require('bitbucket.verbs').verbs):all(function(verb, is)
      local names = vim.tbl_map(function(second)
        return verb .. '-' .. second
      end, vim.tbl_keys(is.second or {}))
      return vim.iter(vim.list_extend(names, { verb })):all(function(name)
        return vim.fn.maparg(('<Plug>(bitbucket-%s)'):format(name), 'n') ~= ''
      end)
    end)
  end)
  check('verbs are completed', function()
    return vim.deep_equal(vim.fn.getcompletion('Bitbucket s', 'cmdline'), { 'send', 'show', 'status', 'suggest', 'switch' })
  end)
  vim.cmd.Bitbucket('refresh')
  check('without a server a command says what to do', function()
    return said('open a file of a git repository')
  end)
  vim.cmd.Bitbucket('shwo')
  check('an unknown verb names the known ones', function()
    return said('There is no :Bitbucket shwo; the verbs are account')
  end)

  local one = repository('one', { ['pay.rs'] = code, ['.git/COMMIT_EDITMSG'] = { 'charge' } })
  local two = repository('two', { ['pay.py'] = code })
  local work_tree = vim.env.TEST_HOME .. '/work tree'
  vim.fn.system({
    'git',
    '-C',
    two,
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@t',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'x',
  })
  vim.fn.system({ 'git', '-C', two, 'worktree', 'add', '-q', '-b', 'side', work_tree })
  vim.fn.writefile(code, work_tree .. '/pay.js')

  -- What must not be attached comes first, so that a wrong attachment has had all the time to happen.
  vim.fn.writefile({ 'charge' }, vim.env.TEST_HOME .. '/outside.txt')
  vim.cmd.edit(vim.env.TEST_HOME .. '/outside.txt')
  local outside = vim.api.nvim_get_current_buf()
  vim.cmd.edit(one .. '/.git/COMMIT_EDITMSG')
  local message = vim.api.nvim_get_current_buf()

  vim.cmd.edit(one .. '/pay.rs')
  check('a file of a repository is attached', attached)
  check('a file outside a repository is not', function()
    return not attached(outside)
  end)
  check('nor one inside .git', function()
    return not attached(message)
  end)
  check('the thread is drawn on its line, its first line only', function()
    return drawn(2):find('Why twice?', 1, true) and not drawn(2):find('All of it', 1, true)
  end)
  check('the summary lens is drawn', function()
    return drawn(0):find('lens 0', 1, true)
  end)
  check('a thread is drawn once: its lens is not', function()
    return not drawn(2):find('lens', 1, true)
  end)
  check('the lens of a thread can be run all the same', function()
    return vim.iter(vim.lsp.codelens.get(0)):any(function(lens)
      return lens.range.start.line == 2
    end)
  end)
  check('the diagnostics of others look as before', function()
    return not vim.diagnostic.config().virtual_text
  end)

  vim.api.nvim_buf_set_lines(0, 0, 0, false, { '// new' })
  check('after an edit above, the thread is drawn a line below', function()
    return drawn(3):find('Why twice?', 1, true)
  end)

  server.lens = 'again'
  local answered
  vim.schedule(function()
    answered = { server.dispatchers.server_request('workspace/codeLens/refresh', nil) }
  end)
  check('workspace/codeLens/refresh is answered', function()
    return answered and answered[1] == vim.NIL and not answered[2]
  end)
  check('and the lenses are asked for anew', function()
    return drawn(0):find('again', 1, true)
  end)

  vim.api.nvim_win_set_cursor(0, { 4, 2 })
  vim.cmd.Bitbucket('next')
  check('a command carries the cursor', function()
    local request = told('workspace/executeCommand')
    local argument = request and request.params.arguments[1]
    return argument
      and request.params.command == 'bitbucket.nextComment'
      and vim.deep_equal(argument, { uri = vim.uri_from_bufnr(0), line = 3, character = 2 })
  end)

  vim.g.clipboard = {
    name = 'test',
    copy = {
      ['+'] = function(lines)
        server.clipboard = lines
      end,
      ['*'] = function() end,
    },
    paste = {
      ['+'] = function()
        return { server.clipboard or {}, 'v' }
      end,
      ['*'] = function()
        return {}
      end,
    },
  }
  vim.cmd.Bitbucket('copy')
  check('a link comes to the clipboard', function()
    return vim.deep_equal(server.clipboard, { 'https://bitbucket.org/x/y/pull-requests/7' })
  end)

  vim.cmd.Bitbucket('thread')
  local float
  check('the thread floats', function()
    float = vim.b.lsp_floating_preview
    return float
      and vim.api.nvim_win_is_valid(float)
      and table
        .concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(float), 0, -1, false))
        :find('Why twice?', 1, true)
  end)
  vim.cmd.Bitbucket('thread')
  check('a second time enters it', function()
    return vim.api.nvim_get_current_win() == float
  end)
  vim.cmd.Bitbucket('thread')
  check('a third time leaves it', function()
    return vim.api.nvim_get_current_win() ~= float
  end)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  vim.cmd.Bitbucket('thread')
  check('a line without a thread says so', function()
    return said('No comment on this line')
  end)

  local links = told('workspace/executeCommand')
  local copies = #vim.tbl_filter(function(m)
    return m.method == 'workspace/executeCommand'
  end, server.told)
  vim.lsp.codelens.run()
  check('running a lens runs its command', function()
    return #vim.tbl_filter(function(m)
      return m.method == 'workspace/executeCommand'
    end, server.told) == copies + 1 and told('workspace/executeCommand') ~= links
  end)
  check('and the lens is drawn again afterwards', function()
    return drawn(0):find('lens 0', 1, true)
  end)
  vim.bo.modified = false

  vim.cmd.edit(two .. '/pay.py')
  check('a second repository is attached', attached)
  vim.cmd.edit(vim.fn.fnameescape(work_tree .. '/pay.js'))
  check('a linked work tree is attached', attached)
  check('all of it by one server', function()
    return server.starts == 1
  end)
  check('which was told of each folder once', function()
    local added = vim
      .iter(server.told)
      :filter(function(m)
        return m.method == 'workspace/didChangeWorkspaceFolders'
      end)
      :map(function(m)
        return m.params.event.added[1].uri
      end)
      :totable()
    return vim.deep_equal(added, { vim.uri_from_fname(two), vim.uri_from_fname(work_tree) })
  end)

  local documents = vim.env.XDG_CACHE_HOME .. '/bitbucket-lsp/documents'
  vim.fn.mkdir(documents, 'p')
  vim.fn.writefile({ '# Seven' }, documents .. '/7.md')
  vim.cmd.edit(documents .. '/7.md')
  check('a document of the server is attached', attached)
  check('read-only, as Markdown', function()
    return vim.bo.readonly and not vim.bo.modifiable and vim.bo.filetype == 'markdown'
  end)
  check('by the same server, without a folder', function()
    return server.starts == 1 and #attached().workspace_folders == 3
  end)
  vim.fn.writefile({ '# Seven, changed' }, documents .. '/7.md')
  vim.api.nvim_exec_autocmds('CursorHold', { buffer = 0 })
  check('it follows the file', function()
    return vim.api.nvim_buf_get_lines(0, 0, 1, false)[1] == '# Seven, changed'
  end)

  vim.fn.writefile({ '# Paste it below' }, documents .. '/finish-sign-in.md')
  vim.cmd.edit(documents .. '/finish-sign-in.md')
  check('the document for pasting can be written in', function()
    return attached() and vim.bo.modifiable and not vim.bo.readonly
  end)
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { 'http://127.0.0.1:1/callback?code=c' })
  check('and what is pasted is told to the server', function()
    local change = told('textDocument/didChange')
    return change and vim.inspect(change.params.contentChanges):find('callback?code=c', 1, true)
  end)
  vim.api.nvim_exec_autocmds('TextChanged', { buffer = 0 })
  check('it never counts as modified', function()
    return not vim.bo.modified
  end)
end

---A program in the place of `bitbucket-lsp`: says by which arguments and with what on standard input it was run.
local function program(lines)
  local path = vim.env.TEST_HOME .. '/program'
  vim.fn.writefile(vim.list_extend({ '#!/bin/sh' }, lines), path)
  vim.fn.setfperm(path, 'rwx------')
  return path
end

local function sign_in()
  local said = kit.listen()
  local function last()
    local request = told('workspace/executeCommand')
    return request and { request.params.command, request.params.arguments[1] }
  end
  local dir = repository('one', { ['pay.rs'] = code })
  vim.cmd.edit(dir .. '/pay.rs')
  check('the server is there', attached)
  for verb, command in vim.spairs({
    login = 'generateToken',
    cancel = 'cancelSignIn',
    account = 'switchAccount',
    logout = 'signOut',
  }) do
    vim.cmd.Bitbucket(verb)
    check((':Bitbucket %s is %s'):format(verb, command), function()
      local seen = last()
      return seen and seen[1] == 'bitbucket.' .. command and seen[2].uri == vim.uri_from_bufnr(0)
    end)
  end

  local typed ---@type string?
  vim.ui.input = function(_, answer)
    if typed then
      vim.fn.histadd('input', typed)
    end
    answer(typed)
  end
  local address = [[http://127.0.0.1:1/callback?code=a\b.*&state=c]]
  typed = address
  vim.cmd.Bitbucket('paste')
  check(':Bitbucket paste hands the address on', function()
    return last()[1] == 'bitbucket.finishSignIn' and last()[2].address == address
  end)
  check('and keeps it in no history', function()
    return vim.fn.histget('input') == ''
  end)
  typed = ''
  vim.cmd.Bitbucket('paste')
  check('with nothing entered it asks for the document', function()
    return last()[1] == 'bitbucket.finishSignIn' and not last()[2].address
  end)
  typed = nil
  local before = #server.told
  vim.cmd.Bitbucket('paste')
  vim.cmd.Bitbucket('token')
  check('without a screen a token is typed into a page', function()
    return last()[1] == 'bitbucket.addToken'
  end)
  check('whoever gives :Bitbucket paste up asks for nothing', function()
    return #server.told == before + 1
  end)

  vim.api.nvim_list_uis = function()
    return { {} }
  end
  vim.g.bitbucket_token_page = true
  before = #server.told
  vim.cmd.Bitbucket('token')
  check('so it is where the user wants that', function()
    return #server.told == before + 1 and last()[1] == 'bitbucket.addToken'
  end)
  vim.g.bitbucket_token_page = nil
  vim.lsp.config('bitbucket', {
    cmd = { program({ 'echo "arguments: $*"', 'echo "token: $(wc -c)" "$SHOP"', 'echo "careful" >&2' }) },
    cmd_env = { SHOP = 'open' },
  })
  local asked = 0
  ---@diagnostic disable-next-line: duplicate-set-field
  vim.fn.inputsecret = function()
    asked = asked + 1
    return ' t0ken '
  end
  before, typed = #server.told, 'ana@corner.test '
  vim.cmd.Bitbucket('token')
  check('a token goes to the standard input of the program', function()
    return said(('2 arguments: auth token --email ana@corner.test %s\ntoken: 5 open'):format(dir))
  end)
  check('what the program warns of is a warning', function()
    return said('3 careful')
  end)
  typed = ''
  vim.cmd.Bitbucket('token')
  check('an access token has no address', function()
    return said(('2 arguments: auth token %s\n'):format(dir))
  end)
  typed = nil
  vim.cmd.Bitbucket('token')
  check('whoever gives no address is asked for no token', function()
    return asked == 2
  end)
  check('and no message has it', function()
    return #server.told == before and not vim.inspect(server.told):find('t0ken', 1, true)
  end)
  vim.lsp.config('bitbucket', { cmd = { vim.env.TEST_HOME .. '/nothing' } })
  typed = ''
  vim.cmd.Bitbucket('token')
  check('a program that is not there is said', function()
    return said('4 ' .. vim.env.TEST_HOME .. '/nothing cannot be run')
  end)

  local function health(lines)
    vim.lsp.config('bitbucket', { cmd = { program(lines) } })
    vim.cmd.checkhealth('bitbucket')
    local report = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
    vim.cmd.tabclose()
    return report
  end
  local report = health({ '[ "$1" = auth ] && echo "Account Ana: an API token." && echo "For $3."', 'echo v1' })
  check(':checkhealth names who is signed in', function()
    return report:find('OK Account Ana: an API token.', 1, true)
  end)
  check('and asks for the repository', function()
    return report:find(('For %s.'):format(dir), 1, true)
  end)
  report = health({ '[ "$1" = auth ] && echo "Nobody is signed in; run this."', 'echo v1' })
  check('it says what to run where nobody is', function()
    return report:find('WARNING Nobody is signed in; run this.', 1, true)
      and report:find('Run `:Bitbucket login`', 1, true)
  end)
  report = health({ 'if [ "$1" = auth ]; then sleep 20; fi', 'echo v1' })
  check('it does not wait for long', function()
    return report:find('more than four seconds', 1, true)
  end)
  vim.env.BITBUCKET_EMAIL, vim.env.BITBUCKET_API_TOKEN = 'ana@example.com', 'hidden-value'
  report = health({ 'echo v1' })
  check('it names the variables that go before', function()
    return report:find('BITBUCKET_EMAIL is set', 1, true) and report:find('BITBUCKET_API_TOKEN is set', 1, true)
  end)
  check('never their values', function()
    return not report:find('hidden-value', 1, true) and not report:find('ana@example', 1, true)
  end)
  check('and each repository', function()
    return report:find('Repository: ' .. dir, 1, true)
  end)
end

---A file without a type is attached too, and the user's options are kept.
local function without_filetype()
  vim.g.bitbucket_virtual_text, vim.g.bitbucket_code_lens = false, false
  require('bitbucket').setup({ settings = { bitbucket = { refreshInterval = 0 } } })
  local dir = repository('one', { ['unknown'] = code })
  vim.cmd.edit(dir .. '/unknown')
  check('a file without a type is attached', function()
    return vim.bo.filetype == '' and attached()
  end)
  check('with its repository', function()
    return attached().root_dir == dir
  end)
  check('settings reach the server', function()
    local message = told('workspace/didChangeConfiguration')
    return message and message.params.settings.bitbucket.refreshInterval == 0
  end)
  check('the thread has its sign', function()
    return vim.iter(vim.api.nvim_buf_get_extmarks(0, -1, 0, -1, { details = true })):any(function(mark)
      return (mark[4].sign_text or ''):find('◆')
    end)
  end)
  check('and no virtual text, as the user wants it', function()
    return drawn(2) == ''
  end)
  check('nor were lenses asked for', function()
    return not told('textDocument/codeLens')
  end)
end

---A plugin manager may load the plugin when files are open already.
local function loaded_late()
  local dir = repository('one', { ['unknown'] = code, ['pay.rs'] = code })
  vim.cmd.edit(dir .. '/unknown')
  local unknown = vim.api.nvim_get_current_buf()
  vim.cmd.edit(dir .. '/pay.rs')
  vim.opt.runtimepath:append(vim.env.PLUGIN)
  vim.cmd.source(vim.env.PLUGIN .. '/plugin/bitbucket.lua')
  check('files that are open already are attached', function()
    return attached() and attached(unknown)
  end)
  check('by one server', function()
    return server.starts == 1
  end)
  vim.cmd.source(vim.env.PLUGIN .. '/plugin/bitbucket.lua')
  check('loading it again changes nothing', function()
    return #vim.api.nvim_get_autocmds({ group = 'bitbucket', event = 'LspAttach' }) == 1
  end)
end

local writing = dofile(vim.env.PLUGIN .. '/tests/writing.lua')(kit)
local modes = {
  plain = plain,
  sign_in = sign_in,
  without_filetype = without_filetype,
  loaded_late = loaded_late,
  verbs = writing.verbs,
  drafts = dofile(vim.env.PLUGIN .. '/tests/drafts.lua')(kit),
  maps = writing.maps,
}
local ok, problem = xpcall(modes[vim.env.MODE], debug.traceback)
if not ok then
  kit.failed = kit.failed + 1
  io.stdout:write('FAIL ' .. problem .. '\n')
end
io.stdout:write(('%d passed, %d failed\n'):format(kit.passed, kit.failed))
vim.cmd(kit.failed == 0 and 'qall!' or 'cquit 1')
