//! One repository of a registry: the few requests of the OCI distribution specification (1.1)
//! that a plugin needs. What they carry is not known here.

use anyhow::{Context as _, Result, ensure};
use cambist_contract::digest::Digest;
use oci_spec::distribution::Reference;
use reqwest::{
    RequestBuilder, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, LOCATION},
};

use super::{
    proof::{Access, Proof},
    wire::{Answer, MAX_ANSWER, Wire},
};

/// A manifest of one artifact. An index of several is not asked for.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A repository that may be asked.
pub(super) struct Repository {
    wire: Wire,
    proof: Proof,
    /// Whether no user was named.
    is_nobody: bool,
}

impl Repository {
    /// Finds out how a registry wants to be asked, and prepares that, for `pull` or
    /// `pull,push`.
    ///
    /// # Errors
    ///
    /// It does not answer, does not take the user, or wants a token from where the operator
    /// has not said.
    pub(super) async fn open(at: &Reference, access: &Access, actions: &str) -> Result<Self> {
        let wire = Wire::new(at, access.plain_http)?;
        let scope = format!("repository:{}:{actions}", at.repository());
        let proof = Proof::get(&wire, access, &scope).await?;
        let is_nobody = access.user.is_none();
        Ok(Self {
            wire,
            proof,
            is_nobody,
        })
    }

    /// The manifest of a tag or a digest.
    pub(super) async fn manifest(&self, name: &str) -> Result<Vec<u8>> {
        let url = self.wire.base.join(&format!("manifests/{name}"))?;
        let request = self.wire.http.get(url).header(ACCEPT, MANIFEST);
        self.ask(request, MAX_ANSWER, StatusCode::OK, &format!("`{name}`"))
            .await
    }

    /// Bytes, of that size at most.
    pub(super) async fn blob(&self, digest: &Digest, size: usize) -> Result<Vec<u8>> {
        let url = self.wire.base.join(&format!("blobs/sha256:{digest}"))?;
        let request = self.wire.roaming.get(url);
        self.ask(request, size, StatusCode::OK, "component with that digest")
            .await
    }

    /// Puts bytes there, in one piece.
    pub(super) async fn upload(&self, bytes: Vec<u8>) -> Result<()> {
        let digest = Digest::of(&bytes);
        let base = &self.wire.base;
        let opening = base.join("blobs/uploads/")?;
        let request = self.wire.http.post(opening.clone()).body(Vec::new());
        let opened = self.wire.ask(self.proof.on(request), MAX_ANSWER).await?;
        let opened = self.expect(opened, StatusCode::ACCEPTED, "place for it")?;
        let location = opened.headers.get(LOCATION).and_then(|at| at.to_str().ok());
        let mut url = opening.join(location.context("the registry does not say where an upload goes")?)?;
        ensure!(
            url.scheme() == "https" || base.scheme() == "http",
            "the registry wants the upload over plain HTTP; its own address is set wrong there"
        );
        url.query_pairs_mut()
            .append_pair("digest", &format!("sha256:{digest}"));
        let is_own = url.origin() == base.origin();
        let request = self.wire.http.put(url);
        let request = request
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(bytes);
        let request = if is_own { self.proof.on(request) } else { request };
        let answer = self.wire.ask(request, MAX_ANSWER).await?;
        self.expect(answer, StatusCode::CREATED, "upload of ours")?;
        Ok(())
    }

    /// Gives a manifest a tag. What it names has to be there.
    pub(super) async fn put_manifest(&self, tag: &str, manifest: Vec<u8>) -> Result<()> {
        let url = self.wire.base.join(&format!("manifests/{tag}"))?;
        let request = self.wire.http.put(url);
        let request = request.header(CONTENT_TYPE, MANIFEST).body(manifest);
        self.ask(request, MAX_ANSWER, StatusCode::CREATED, "such repository")
            .await?;
        Ok(())
    }

    /// Asks the registry itself, with what proves who asks.
    async fn ask(
        &self,
        request: RequestBuilder,
        limit: usize,
        hoped: StatusCode,
        what: &str,
    ) -> Result<Vec<u8>> {
        let answer = self.wire.ask(self.proof.on(request), limit).await?;
        Ok(self.expect(answer, hoped, what)?.body)
    }

    fn expect(&self, answer: Answer, hoped: StatusCode, what: &str) -> Result<Answer> {
        let is_unknown = answer.status == StatusCode::UNAUTHORIZED && self.is_nobody;
        ensure!(!is_unknown, self.wire.unknown());
        self.wire.expect(answer, hoped, what)
    }
}
