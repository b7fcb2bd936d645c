-- What `:Bitbucket` understands: its verbs, some of two words, and which command of the server each is.

local M = {}

---@class bitbucket.Verb
---@field command? string of the server
---@field run? fun(client?: vim.lsp.Client) done here, in place of a command
---@field without_server? boolean it needs no server that runs
---@field on? 'lines'|'file'|'pull-request' what it is about, where that is not whatever is at the cursor
---@field more? table further members of the command's argument
---@field text? boolean words after it are a text, with which the command acts at once
---@field second? table<string, bitbucket.Verb> by a second word

---@param name string
---@param more? bitbucket.Verb
---@return bitbucket.Verb
local function command(name, more)
  return vim.tbl_extend('force', { command = 'bitbucket.' .. name }, more or {})
end

---@type table<string, bitbucket.Verb>
M.verbs = {
  show = command('showPullRequest'),
  next = command('nextComment'),
  prev = command('previousComment'),
  refresh = command('refresh'),
  toggle = command('toggleComments'),
  browser = command('openInBrowser'),
  copy = command('copyLink'),
  status = command('showStatus'),
  switch = command('switchPullRequest'),
  thread = {
    run = function(client)
      require('bitbucket.float').open(assert(client))
    end,
  },

  reply = command('reply', { text = true }),
  comment = command('addComment', {
    on = 'lines',
    text = true,
    second = {
      file = command('addComment', { on = 'file', text = true }),
      ['pull-request'] = command('addComment', { on = 'pull-request', text = true }),
      removed = command('addComment', { on = 'lines', text = true, more = { side = 'from' } }),
    },
  }),
  suggest = command('suggestChange', { on = 'lines', text = true }),
  edit = command('editComment', { text = true }),
  delete = command('deleteComment'),
  resolve = command('resolveThread', { second = { next = command('resolveAndNext') } }),
  reopen = command('reopenThread'),
  apply = command('applySuggestion', { second = { all = command('applyAllSuggestions', { on = 'lines' }) } }),
  task = command('addTask', {
    text = true,
    second = {
      done = command('completeTask'),
      reopen = command('reopenTask'),
      edit = command('editTask', { text = true }),
      delete = command('deleteTask'),
    },
  }),
  send = command('sendDraft'),
  discard = command('discardDraft'),
  drafts = command('showDrafts'),

  login = command('generateToken'),
  cancel = command('cancelSignIn'),
  account = command('switchAccount'),
  logout = command('signOut'),
  paste = {
    run = function(client)
      require('bitbucket.token').paste(assert(client))
    end,
  },
  token = {
    without_server = true,
    run = function(client)
      require('bitbucket.token').add(client)
    end,
  },
  log = {
    without_server = true,
    run = function()
      vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.log.get_filename()))
      vim.cmd.normal({ 'G', bang = true })
    end,
  },
}

---@param verbs table<string, bitbucket.Verb>
---@param lead string
---@return string[] sorted
local function starting(verbs, lead)
  local names = vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, vim.tbl_keys(verbs))
  table.sort(names)
  return names
end

---What may stand where the last word of an incomplete command line is.
---@param typed string after `:Bitbucket `
---@return string[]
function M.complete(typed)
  local first, second = typed:match('^(%S+)%s+(%S*)$')
  if first then
    local verb = M.verbs[first]
    return starting(verb and verb.second or {}, second)
  end
  return typed:find('%s') and {} or starting(M.verbs, typed)
end

---The text after `--`, empty if there is nothing; nil where there is no `--`.
---@param words string
---@return string?
local function after_dashes(words)
  return words == '--' and '' or words:match('^%-%-%s+(.*)$')
end

---Reads what was typed after `:Bitbucket`. What may be meant in two ways is not guessed at: it could go to Bitbucket.
---@param typed string
---@return bitbucket.Verb? verb nil if it is none
---@return string? text to act with; without a verb, a sentence that says why
function M.read(typed)
  local first, rest = typed:match('^%s*(%S+)%s*(.-)%s*$')
  local verb = M.verbs[first or 'show']
  if verb and (rest or '') ~= '' then
    local word, words = rest:match('^(%S+)%s*(.*)$')
    local second = verb.second and verb.second[word]
    if second and words == '' then
      return second
    elseif second and second.text and after_dashes(words) then
      verb, rest = second, words
    elseif second and verb.text then
      local this = ('%s %s'):format(first, word) .. (second.text and ' -- ' .. words or '')
      local sentence = 'Nothing was sent, for “%s” may be a verb or the text: '
        .. 'type `:Bitbucket %s` or `:Bitbucket %s -- %s`.'
      return nil, sentence:format(word, this, first, rest)
    end
    if verb.text then
      local text = after_dashes(rest) or rest
      if text == '' then
        return nil, 'There is no text after `--`.'
      end
      return verb, text
    end
    verb = nil
  end
  if not verb then
    local verbs = table.concat(M.complete(''), ', ')
    return nil, ('There is no :Bitbucket %s; the verbs are %s.'):format(vim.trim(typed), verbs)
  end
  return verb
end

return M
