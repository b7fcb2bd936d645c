-- The language server as Neovim's own LSP client starts it; see |vim.lsp.config()|.
-- There are no `filetypes`: a review comment may stand in any file of a repository.

---@type vim.lsp.Config
return {
  cmd = { 'bitbucket-lsp' },
  root_dir = function(bufnr, on_dir)
    require('bitbucket.root').find(bufnr, on_dir)
  end,
  -- One server for all repositories; further ones become workspace folders (see bitbucket.attach).
  reuse_client = function(client, config)
    return client.name == config.name and not client:is_stopped()
  end,
  commands = {
    ['bitbucket.copyLink'] = function(command, context)
      require('bitbucket.command').copy_link(command, context)
    end,
    ['bitbucket.sendDraft'] = function(command, context)
      require('bitbucket.draft').hand_over(command, context)
    end,
    ['bitbucket.discardDraft'] = function(command, context)
      require('bitbucket.draft').hand_over(command, context)
    end,
  },
  -- The server tells of drafts that are gone only where they are closed then.
  init_options = { draftClosed = true },
  handlers = {
    ['bitbucket/draftClosed'] = function(_, params)
      require('bitbucket.draft').closed(params.uri)
    end,
    -- As any other message of a plugin; Neovim's own way asks for ENTER each time.
    ['window/showMessage'] = function(_, params)
      local levels = { vim.log.levels.ERROR, vim.log.levels.WARN, vim.log.levels.INFO, vim.log.levels.INFO }
      require('bitbucket').say(params.message, levels[params.type])
    end,
    ['window/showDocument'] = function(err, params, context)
      require('bitbucket.draft').make_room(params)
      local answer = vim.lsp.handlers['window/showDocument'](err, params, context)
      require('bitbucket.attach').look_again(params.uri)
      return answer
    end,
    -- Neovim 0.12 redraws code lenses on the server's request by itself; 0.11 does it here.
    ['workspace/codeLens/refresh'] = not vim.lsp.codelens.enable and function(_, _, context)
      return require('bitbucket.lens').refresh_all(context.client_id)
    end or nil,
  },
  capabilities = { workspace = { codeLens = { refreshSupport = true } } },
}
