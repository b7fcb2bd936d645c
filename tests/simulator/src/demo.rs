//! `cargo demo`: the product without an account.
//!
//! It starts the simulator with a sample pull request, builds the server, clones the sample into a temporary folder,
//! and opens it in Neovim; where there is none, or not on a terminal, it prints the threads under their code.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Parser;
use simulator::{Scenario, Simulator};

/// See bitbucket-lsp at work without an account: a sample pull request in a simulated Bitbucket.
#[derive(Parser)]
#[command(name = "cargo demo")]
struct Arguments {
    /// Print the threads under their code, also where Neovim could show them.
    #[arg(long, conflicts_with = "serve")]
    print: bool,
    /// Only serve, and print what to set so that any editor can be tried on the sample.
    #[arg(long)]
    serve: bool,
}

/// Where the cursor is put: on the first thread of this file.
const FIRST_FILE: &str = "till/cart.py";
const FIRST_LINE: &str = "for discount in self.discounts:";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let scenario = Scenario::demo().said_until(jiff::Timestamp::now());
    let (repository, branch) = scenario.first_checkout().context("the sample has no pull request")?;
    let server = build_server()?;
    let simulator = Simulator::start(scenario).await?;
    let folder = tempfile::Builder::new().prefix("bitbucket-lsp-demo-").tempdir()?;
    let clone = simulator.clone_to(&folder.path().join("till"), &repository, &branch)?;
    let mut environment = simulator.environment();
    for (name, part) in [("CONFIG", "config"), ("STATE", "state"), ("CACHE", "cache")] {
        let path = folder.path().join(part).display().to_string();
        environment.push((format!("BITBUCKET_LSP_{name}"), path));
    }
    if arguments.serve {
        return serve(&clone, &server, &environment).await;
    }
    let neovim = if arguments.print || !std::io::stdout().is_terminal() { None } else { neovim() };
    match neovim {
        Some(neovim) => edit(&neovim, folder.path(), &clone, &server, &environment),
        None => print(&clone, &server, &environment),
    }
}

/// Builds the server beside this program, with the same profile.
fn build_server() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().context("this program is in no folder")?;
    let server = folder.join(format!("bitbucket-lsp{}", std::env::consts::EXE_SUFFIX));
    say("Building bitbucket-lsp (the first time takes a few minutes) ...");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "bitbucket-lsp"]).current_dir(project()?);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.status().context("cargo could not be started")?;
    if !built.success() {
        bail!("bitbucket-lsp could not be built; what cargo said is above");
    }
    if !server.is_file() {
        bail!("bitbucket-lsp was built, but not into {}", folder.display());
    }
    Ok(server)
}

/// The checkout that this program was built from.
fn project() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).context("the sources are not where they were built")?;
    Ok(root.to_owned())
}

fn print(clone: &Path, server: &Path, environment: &[(String, String)]) -> Result<()> {
    let mut command = Command::new(server);
    command.arg("comments").current_dir(clone).envs(environment.iter().cloned());
    let done = command.status().context("bitbucket-lsp could not be started")?;
    if !done.success() {
        bail!("bitbucket-lsp comments ended with {done}");
    }
    Ok(())
}

/// Neovim 0.11 or newer: the one that `NVIM` names, else the one on the path.
fn neovim() -> Option<PathBuf> {
    // Inside Neovim's own terminal NVIM is a socket's address; then the one on the path is meant.
    let named = std::env::var_os("NVIM").map(PathBuf::from).filter(|path| path.is_file());
    let program = named.unwrap_or_else(|| PathBuf::from("nvim"));
    let output = Command::new(&program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.lines().next()?.strip_prefix("NVIM v")?;
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next()?, numbers.next()?);
    (version >= (0, 11)).then_some(program)
}

fn edit(
    neovim: &Path,
    folder: &Path,
    clone: &Path,
    server: &Path,
    environment: &[(String, String)],
) -> Result<()> {
    let init = folder.join("init.lua");
    let plugin = project()?.join("editors").join("neovim");
    let text = include_str!("demo.lua")
        .replace("@PLUGIN@", &lua_text(&plugin))
        .replace("@SERVER@", &lua_text(server));
    std::fs::write(&init, text)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside = server.parent().map(Path::to_owned);
    let path = std::env::join_paths(beside.into_iter().chain(std::env::split_paths(&path)))?;
    let line = std::fs::read_to_string(clone.join(FIRST_FILE))?;
    let line = line.lines().position(|line| line.contains(FIRST_LINE)).map_or(1, |index| index + 1);
    let mut command = Command::new(neovim);
    command.args(["--clean", "-u"]).arg(&init).arg(format!("+{line}")).arg(FIRST_FILE);
    command.current_dir(clone).envs(environment.iter().cloned()).env("PATH", path).env_remove("NVIM");
    for part in ["CONFIG", "DATA", "STATE", "CACHE"] {
        command.env(format!("XDG_{part}_HOME"), folder.join("nvim").join(part.to_lowercase()));
    }
    let done = command.status().context("Neovim could not be started")?;
    if !done.success() {
        bail!("Neovim ended with {done}");
    }
    Ok(())
}

/// A path as a Lua string.
fn lua_text(path: &Path) -> String {
    let escaped = path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

async fn serve(clone: &Path, server: &Path, environment: &[(String, String)]) -> Result<()> {
    say(&format!("# The sample is in {}", clone.display()));
    say(&format!("# The server is {}", server.display()));
    say("# Set this where your editor starts, and open the sample. Ctrl+C or Ctrl+D ends the demo.");
    for (name, value) in environment {
        say(&format!("export {name}='{value}'"));
    }
    simulator::until_told_to_end().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the demo talks to a person")]
fn say(text: &str) {
    println!("{text}");
}
