//! TLS from files, or with a certificate made up for development.

use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file.
    #[error("tls.cert {path}: {reason}")]
    Certificate {
        /// Which file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key file.
    #[error("tls.key {path}: {reason}")]
    Key {
        /// Which file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificate and key do not fit together, or the library refuses them.
    #[error("certificate and key cannot be used together: {0}")]
    Rustls(#[from] tokio_rustls::rustls::Error),
    /// A certificate could not be made up.
    #[error("no self-signed certificate could be made: {0}")]
    SelfSigned(#[from] rcgen::Error),
}

/// TLS with the operator's certificate.
pub fn from_files(cert: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let certificate = |reason: String| TlsError::Certificate { path: cert.display().to_string(), reason };
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|error| certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(certificate("holds no certificate".into()));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| TlsError::Key { path: key.display().to_string(), reason: error.to_string() })?;
    acceptor(chain, private)
}

/// TLS with a fresh certificate for localhost that no browser trusts; for development only.
pub fn self_signed() -> Result<TlsAcceptor, TlsError> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    acceptor(vec![made.cert.der().clone()], key)
}

fn acceptor(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<TlsAcceptor, TlsError> {
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
